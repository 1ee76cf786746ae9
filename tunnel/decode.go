package tunnel

import "encoding/json"

// DecodeSettings reads settings from a JSON object with the keys forwardPorts, portsAttributes, otherPortsAttributes and
// maxForwards; others are not its business. It is lenient: the settings returned hold everything that could be
// understood, and the error, of one errors.Join, names each key that could not and says why.
func DecodeSettings(data json.RawMessage) (Settings, error) { return Settings{}, nil }
