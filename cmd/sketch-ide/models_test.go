package main

import (
	"encoding/json"
	"net/http/httptest"
	"testing"

	"github.com/sketch-ide/sketch-ide/internal/fakellm"
)

// modelKey is a secret that must be nowhere but in requests to the model's server.
const modelKey = "sk-e2e-7f3c9a1be5d24c60"

// keyVariable names the variable of the host that has it.
const keyVariable = "SKETCH_E2E_MODEL_KEY"

// models is a scripted server for both APIs.
type models struct {
	*fakellm.Server
	url string
}

// newModels serves scenarios: the first is the model "script", and files come with their own names.
func newModels(t *testing.T, scenario *fakellm.Scenario) models {
	t.Helper()
	m := models{Server: fakellm.New("script", scenario)}
	m.Key = modelKey
	server := httptest.NewServer(m)
	t.Cleanup(server.Close)
	m.url = server.URL
	return m
}

func parseScenario(t *testing.T, text string) *fakellm.Scenario {
	t.Helper()
	s, err := fakellm.Parse([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// settings are an editor's, for both APIs.
func (m models) settings(more ...string) map[string]any {
	settings := map[string]any{
		"baseImage": testBase(),
		"models": []any{
			map[string]any{
				"name": "claude", "provider": "anthropic", "model": "script", "baseUrl": m.url, "apiKeyEnv": keyVariable,
				"contextWindow": 200000, "maxOutputTokens": 8000, "prices": map[string]any{"input": 3, "output": 15, "cacheRead": 0.3, "cacheWrite": 3.75},
			},
			map[string]any{"name": "gpt", "provider": "openai", "model": "script", "baseUrl": m.url + "/v1", "apiKeyEnv": keyVariable, "contextWindow": 100000},
		},
	}
	for i := 0; i < len(more); i += 2 {
		settings[more[i]] = json.RawMessage(more[i+1])
	}
	return settings
}

// fine fails the test if a request was not what the scenario and the API want, or if steps are left.
func (m models) fine(t *testing.T) {
	t.Helper()
	for _, fault := range m.Faults() {
		t.Errorf("model's server: %v", fault)
	}
	if left := m.Left("script"); left > 0 {
		t.Errorf("%d steps of the scenario were not asked for", left)
	}
}
