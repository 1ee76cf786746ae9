package jsonrpc

import (
	"encoding/json"
	"fmt"
	"slices"
)

// Actions that the server does.
const (
	actionOpen = "open"
	actionStop = "stop"
)

// toastActions are the buttons of a toast. One port can be opened, stopped, and whatever the editor says it can do by
// itself; of several, those that the text names can be opened.
func toastActions(toast portToast, e *editor) []ToastAction {
	var items []ToastAction
	add := func(port Port, title, action string) {
		items = append(items, ToastAction{Title: title, Action: action, Session: toast.Session, Port: port.Number, URL: portURL(port)})
	}
	if len(toast.Ports) > 1 {
		for _, port := range toast.Ports[:maxNamed] {
			add(port, fmt.Sprintf("Open %d", port.Number), actionOpen)
		}
		return items
	}
	for _, port := range toast.Ports {
		add(port, "Open in Browser", actionOpen)
		if e.does(ClientPreview) {
			add(port, "Preview", string(ClientPreview))
		}
		if e.does(ClientCopyURL) {
			add(port, "Copy URL", string(ClientCopyURL))
		}
		add(port, "Stop Forwarding", actionStop)
	}
	return items
}

// onlyTitles leaves out what the LSP specification did not always allow.
func onlyTitles(items []ToastAction) []ToastAction {
	plain := make([]ToastAction, len(items))
	for i, item := range items {
		plain[i] = ToastAction{Title: item.Title}
	}
	return plain
}

// chosen finds the item that an editor answered; null means that the toast was dismissed. Only the title is sure to
// come back, and within a toast it is unique.
func chosen(items []ToastAction, answer json.RawMessage) (ToastAction, bool) {
	title := decoded[string](member(answer, "title"))
	i := slices.IndexFunc(items, func(item ToastAction) bool { return item.Title == title })
	if i < 0 {
		return ToastAction{}, false
	}
	return items[i], true
}
