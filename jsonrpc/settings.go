package jsonrpc

import (
	"bytes"
	"encoding/json"
	"errors"
)

// configure takes settings: bare, or under "sketch". What is not an object (editors send [] for an empty one, and null
// when they want to be asked) changes nothing. A setting that is not valid is told to the user; it fails nothing.
func (s *Server) configure(raw json.RawMessage) error {
	object := settingsObject(raw)
	if nested, ok := object["sketch"]; ok {
		raw, object = nested, settingsObject(nested)
	}
	if object == nil {
		return nil
	}
	style, known := notificationStyle(object["notifications"])
	s.mu.Lock()
	s.wish = style
	s.mu.Unlock()
	if !known {
		s.Message(LevelWarning, `The setting notifications must be "actions", "message" or "none"`)
	}
	if err := s.cfg.Backend.Configure(bytes.Clone(raw), s.editor.Load().usersOwn()); err != nil {
		s.Message(LevelWarning, personText(err))
	}
	return nil
}

// settingsObject is nil for what is not an object.
func settingsObject(raw json.RawMessage) map[string]json.RawMessage {
	var object map[string]json.RawMessage
	if err := json.Unmarshal(raw, &object); err != nil {
		return nil
	}
	return object
}

// personText is an error as one line for a person.
func personText(err error) string {
	if e, ok := errors.AsType[*Error](err); ok && e.Hint != "" {
		return e.Message + ". " + e.Hint
	}
	return err.Error()
}

// notificationStyle decodes the setting; absent and null leave the choice to the name of the editor.
func notificationStyle(raw json.RawMessage) (style NotificationStyle, known bool) {
	if len(raw) == 0 || string(raw) == "null" {
		return "", true
	}
	switch style := decoded[NotificationStyle](raw); style {
	case NotifyActions, NotifyMessage, NotifyNone:
		return style, true
	}
	return "", false
}

// style is how the editor is told about ports, now.
func (s *Server) style() NotificationStyle {
	s.mu.Lock()
	wish := s.wish
	s.mu.Unlock()
	if wish != "" {
		return wish
	}
	return s.editor.Load().style()
}
