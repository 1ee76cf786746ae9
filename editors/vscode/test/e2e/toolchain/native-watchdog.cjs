// Stands in for @vscode/native-watchdog, which has no prebuilt binary and ends orphaned extension hosts.
exports.start = () => {};
exports.exit = code => process.exit(code ?? 0);
