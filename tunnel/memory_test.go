package tunnel_test

import (
	"encoding/json"
	"testing"
	"testing/synctest"
	"time"

	"github.com/sketch-ide/sketch-ide/tunnel"
)

// TestMemoryCarriesOver goes through JSON as the state directory does.
func TestMemoryCarriesOver(t *testing.T) {
	var data []byte
	t.Run("first", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(t, tunnel.ManagerConfig{})
			w.serve("0.0.0.0:3000", "0.0.0.0:3001")
			time.Sleep(time.Minute)
			w.serve("0.0.0.0:3001")
			time.Sleep(time.Minute)
			w.serve("0.0.0.0:3000", "0.0.0.0:3001", "0.0.0.0:3002", "0.0.0.0:5000")
			if _, err := w.m.Forward(t.Context(), 3000, 8080); err != nil {
				t.Error(err)
			}
			if err := w.m.Unforward(t.Context(), 3002); err != nil {
				t.Error(err)
			}
			w.want("3000→8080 forwarded #2", "3001→3001 forwarded #1", "3002→0 stopped #1", "5000→5000 forwarded #1")
			var err error
			if data, err = json.Marshal(w.m.Memory()); err != nil {
				t.Error(err)
			}
		})
	})
	t.Run("second", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			var memory tunnel.Memory
			if err := json.Unmarshal(data, &memory); err != nil {
				t.Fatal(err)
			}
			w := newWorld(t, tunnel.ManagerConfig{Memory: memory})
			time.Sleep(time.Minute) // connecting may take long: what is open then is still not new
			w.serve("0.0.0.0:3000", "0.0.0.0:3001", "0.0.0.0:3002")
			w.want("3000→8080 forwarded #2", "3001→3001 forwarded #1", "3002→0 stopped #1")
			time.Sleep(time.Minute)
			w.serve("0.0.0.0:3000", "0.0.0.0:3001", "0.0.0.0:3002", "0.0.0.0:5000") // was closed in between
			w.want("3000→8080 forwarded #2", "3001→3001 forwarded #1", "3002→0 stopped #1", "5000→5000 forwarded #2")
		})
	})
}
