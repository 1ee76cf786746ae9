package session

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"

	"golang.org/x/sys/unix"

	"github.com/sketch-ide/sketch-ide/gateway"
)

// ledger keeps what a session has used of models in its folder, where each process that serves the session counts on.
type ledger struct {
	store *Store
	name  string
}

var _ gateway.Ledger = ledger{}

// Update implements [gateway.Ledger].
func (l ledger) Update(change func(*gateway.Balance)) (balance gateway.Balance, err error) {
	lock, err := os.OpenFile(l.store.path(l.name, "usage.lock"), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return gateway.Balance{}, fmt.Errorf("lock usage: %w", err)
	}
	defer func() { err = errors.Join(err, lock.Close()) }()
	// Held for as long as it takes to replace a small file, so that nobody waits long.
	if err := unix.Flock(int(lock.Fd()), unix.LOCK_EX); err != nil {
		return gateway.Balance{}, fmt.Errorf("lock usage: %w", err)
	}
	path := l.store.path(l.name, "usage.json")
	data, err := os.ReadFile(path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return gateway.Balance{}, fmt.Errorf("read usage: %w", err)
	}
	if len(data) > 0 {
		if err := json.Unmarshal(data, &balance); err != nil {
			return gateway.Balance{}, fmt.Errorf("read usage: %w", err)
		}
	}
	before := balance
	change(&balance)
	if balance == before {
		return balance, nil
	}
	data, err = json.Marshal(balance)
	if err != nil {
		return gateway.Balance{}, fmt.Errorf("encode usage: %w", err)
	}
	return balance, writeFile(path, data, volatile)
}
