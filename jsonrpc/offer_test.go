package jsonrpc

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
)

// TestOffer: only editors with buttons are asked, only when it is wanted, and what is chosen is done; a failure of that is told.
func TestOffer(t *testing.T) {
	for _, tt := range []struct {
		name, editor string
		wanted       bool
		answer       string // of the editor; empty: it is not asked
		chosen       string
		told         string
	}{
		{"chosen", "Visual Studio Code", true, `"result":{"title":"Yes"}`, "Yes", "it failed"},
		{"dismissed", "Visual Studio Code", true, `"result":null`, "", ""},
		{"something else", "Visual Studio Code", true, `"result":{"title":"Perhaps"}`, "", ""},
		{"not known to the editor", "Visual Studio Code", true, `"error":{"code":-32601,"message":"what?"}`, "", ""},
		{"not wanted", "Visual Studio Code", false, "", "", ""},
		{"an editor in which it would be in the way", "Neovim", true, "", "", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				p := newPeer(t)
				defer p.stop()
				p.send(fmt.Sprintf(`{"id":0,"method":"initialize","params":{"clientInfo":{"name":%q},"capabilities":{}}}`, tt.editor))
				p.send(`{"method":"initialized"}`)
				p.said()
				var chosen string
				p.server.Offer(Offer{
					Text: "Shall I?", Choices: []string{"Yes", "No"},
					Wanted: func(context.Context) bool { return tt.wanted },
					Chosen: func(_ context.Context, choice string) error {
						chosen = choice
						return errors.New("it failed")
					},
				})
				said := strings.Join(p.said(), "\n")
				if asked := strings.Contains(said, `"actions":[{"title":"Yes"},{"title":"No"}]`); asked != (tt.answer != "") {
					t.Fatalf("asked: %v: %s", asked, said)
				}
				if tt.answer != "" {
					p.send(`{"id":1,` + tt.answer + `}`)
				}
				said = strings.Join(p.said(), "\n")
				synctest.Wait()
				if chosen != tt.chosen || strings.Contains(said, "it failed") != (tt.told != "") {
					t.Errorf("chosen %q; said: %s", chosen, said)
				}
			})
		})
	}
}
