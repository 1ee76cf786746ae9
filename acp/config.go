package acp

import (
	"cmp"
	"context"
	"encoding/json"

	"go.lsp.dev/jsonrpc2"
)

const configModel = "model"

// config is what an editor can choose in a session: the model.
func (x *session) config(ctx context.Context) []configOption {
	models, err := x.server.cfg.Backend.Models(ctx)
	if err != nil || len(models.Models) == 0 {
		return nil // a session without models has the rest
	}
	x.mu.Lock()
	option := configOption{ID: configModel, Name: "Model", Category: "model", Type: "select", CurrentValue: cmp.Or(x.model, models.Default, models.Models[0].Name)}
	x.mu.Unlock()
	for _, model := range models.Models {
		option.Options = append(option.Options, configChoice{Value: model.Name, Name: model.Name})
	}
	return []configOption{option}
}

// setConfig chooses the model for the prompts to come.
func (s *Server) setConfig(ctx context.Context, params json.RawMessage) (any, error) {
	var p setConfigRequest
	if err := decode(params, &p); err != nil {
		return nil, err
	}
	x := s.opened(p.SessionID)
	if x == nil {
		return nil, notOpen(p.SessionID)
	}
	for _, option := range x.config(ctx) {
		for _, choice := range option.Options {
			if option.ID == p.ConfigID && choice.Value == p.Value {
				x.update(func() { x.model = p.Value })
				return sessionResponse{ConfigOptions: x.config(ctx)}, nil
			}
		}
	}
	return nil, jsonrpc2.Errorf(jsonrpc2.InvalidParams, "%.40q has no value %.80q", p.ConfigID, p.Value)
}
