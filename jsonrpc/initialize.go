package jsonrpc

import (
	"encoding/json"

	"go.lsp.dev/protocol"
)

// initialize does the initialize request, on the reader's goroutine: what comes next finds it done.
func (s *Server) initialize(params json.RawMessage) (*protocol.InitializeResult, error) {
	e := decodeEditor(params)
	s.editor.Store(e)
	s.mu.Lock()
	s.folders = e.folders
	s.mu.Unlock()
	s.cfg.Log.Info("initialize", "editor", clip(plainText(e.name), 80), "style", e.style(), "sketch", e.sketch != nil)
	if err := s.configure(e.settings); err != nil {
		return nil, err
	}
	if e.process > 0 {
		ctx := s.link.ctx
		// Ends with the connection.
		s.tasks.Go(func() { s.watchEditor(ctx, e.process) })
	}
	return s.capabilities(), nil
}

func (s *Server) capabilities() *protocol.InitializeResult {
	no, yes, none := false, true, protocol.TextDocumentSyncKindNone
	names := make([]string, 0, len(s.commands))
	for _, c := range commands() {
		names = append(names, c.name)
	}
	result := &protocol.InitializeResult{ServerInfo: protocol.ServerInfo{Name: "sketch-ide"}}
	if s.cfg.Version != "" {
		result.ServerInfo.Version = protocol.NewOptional(s.cfg.Version)
	}
	result.Capabilities = protocol.ServerCapabilities{
		// As an object: for the number 0 Neovim sends the documents nevertheless.
		TextDocumentSync:       &protocol.TextDocumentSyncOptions{OpenClose: &no, Change: &none},
		ExecuteCommandProvider: protocol.ExecuteCommandOptions{Commands: names},
		Workspace: &protocol.WorkspaceOptions{WorkspaceFolders: &protocol.WorkspaceFoldersServerCapabilities{
			Supported: &yes, ChangeNotifications: protocol.Boolean(true),
		}},
	}
	result.Capabilities.ExecuteCommandProvider.WorkDoneProgress = &yes
	declared, err := protocol.Marshal(map[string]SketchServer{"sketch": {Version: ProtocolVersion}})
	if err == nil { // a number always encodes
		result.Capabilities.Experimental = declared
	}
	return result
}
