// The editor's own chat asks no participant before it has a model by the vendor "copilot" and a participant of its own.

const vscode = require('vscode');

const model = {
  id: 'test-model',
  name: 'Test Model',
  family: 'test',
  version: '1',
  maxInputTokens: 8192,
  maxOutputTokens: 1024,
  isDefault: true,
  isUserSelectable: true,
  capabilities: { toolCalling: true },
};

exports.activate = context => {
  context.subscriptions.push(
    vscode.lm.registerLanguageModelChatProvider('copilot', {
      provideLanguageModelChatInformation: () => [model],
      provideLanguageModelChatResponse: async (_model, _messages, _options, progress) =>
        progress.report(new vscode.LanguageModelTextPart('The model was asked.')),
      provideTokenCount: async () => 1,
    }),
    vscode.chat.createChatParticipant('test.default', (_request, _context, stream) =>
      stream.markdown('The default participant was asked.'),
    ),
  );
};
