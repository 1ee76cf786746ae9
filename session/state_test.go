package session

import (
	"errors"
	"testing"

	"github.com/sketch-ide/sketch-ide/tunnel"
)

func TestStateFollowsFromContainerAndConnection(t *testing.T) {
	t.Parallel()
	broken := errors.New("broken")
	for _, tt := range []struct {
		name  string
		s     *Session
		want  State
		wantE error
	}{
		{"nothing known", &Session{}, Starting, nil},
		{"first attempts fail", &Session{pipe: tunnel.State{Phase: tunnel.Reconnecting, Err: broken}}, Starting, broken},
		{"connected, repository not yet inside", &Session{pipe: tunnel.State{Phase: tunnel.Connected}}, Starting, nil},
		{"ready", &Session{pipe: tunnel.State{Phase: tunnel.Connected}, inside: insideState{ready: true}}, Connected, nil},
		{"broken after it was ready", &Session{pipe: tunnel.State{Phase: tunnel.Reconnecting, Err: broken}, inside: insideState{ready: true}}, Reconnecting, broken},
		{"lost", &Session{pipe: tunnel.State{Phase: tunnel.Lost, Err: broken}, inside: insideState{ready: true}}, Lost, broken},
		{"container stopped, connection not yet noticed", &Session{pipe: tunnel.State{Phase: tunnel.Connected}, inside: insideState{ready: true}, stopped: &StoppedError{}}, Stopped, ErrContainerStopped},
		{"container removed", &Session{stopped: &StoppedError{}, gone: true}, Gone, ErrContainerGone},
		{"connection given up", &Session{pipe: tunnel.State{Phase: tunnel.Gone, Err: broken}}, Gone, broken},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got, err := tt.s.stateLocked()
			if got != tt.want || !errors.Is(err, tt.wantE) {
				t.Errorf("got %v, %v; want %v, %v", got, err, tt.want, tt.wantE)
			}
		})
	}
}
