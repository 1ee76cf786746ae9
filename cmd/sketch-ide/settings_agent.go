package main

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"

	"github.com/sketch-ide/sketch-ide/agent/conversation"
	"github.com/sketch-ide/sketch-ide/gateway"
	"github.com/sketch-ide/sketch-ide/session"
)

// maxInstructions bounds what is added to each request to a model.
const maxInstructions = 64 << 10

// agent reads what is said of models and of the agent.
func (d *settingsDecoder) agent(data json.RawMessage) (gateway.Settings, session.AgentSettings) {
	a := session.AgentSettings{
		Instructions: setting[string](d, "instructions", "a string"),
		BrowserURL:   setting[string](d, "browserUrl", "a string"),
		MCP:          d.mcpServers("mcpServers"),
	}
	if raw := d.raw("coAuthor"); raw != nil {
		a.NoCoAuthor = !setting[bool](d, "coAuthor", "true or false")
	}
	if len(a.Instructions) > maxInstructions {
		d.fail("instructions", "more than %d bytes", maxInstructions)
		a.Instructions = ""
	}
	if len(d.values) == 0 {
		return gateway.Settings{}, a
	}
	models, err := gateway.DecodeSettings(data)
	if err != nil {
		d.errs = append(d.errs, err)
	}
	return models, a
}

// maxMCPServers bounds the processes that are started inside.
const maxMCPServers = 20

// mcpServers reads servers as their own documentation writes them: by name.
func (d *settingsDecoder) mcpServers(name string) []conversation.MCPServer {
	byName := setting[map[string]conversation.MCPServer](d, name, "an object of servers by name")
	if len(byName) > maxMCPServers {
		d.fail(name, "more than %d servers", maxMCPServers)
		return nil
	}
	var servers []conversation.MCPServer
	for _, key := range slices.Sorted(maps.Keys(byName)) {
		server := byName[key]
		if (server.Command == "") == (server.URL == "") {
			d.fail(fmt.Sprintf("%s.%.80s", name, key), "want either command or url")
			continue
		}
		server.Name = key
		servers = append(servers, server)
	}
	return servers
}
