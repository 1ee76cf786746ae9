package main

import (
	"encoding/json"
	"fmt"

	"github.com/spf13/pflag"
)

// containerFlags are the settings of an editor that `up` takes as flags.
type containerFlags struct {
	mounts, env     []string
	memory, network string
	cpus            float64
	pids            int64
}

func (f *containerFlags) register(flags *pflag.FlagSet) {
	flags.StringArrayVar(&f.mounts, "mount", nil, "a `mount` of a folder or volume, as docker run takes it: type=bind,source=~/data,target=/data,readonly; repeatable")
	flags.StringArrayVar(&f.env, "env", nil, "the `name` of a variable of this environment that sessions inside get; repeatable")
	flags.Float64Var(&f.cpus, "cpus", 0, "at most so many processors, a `number` (default: what is idle)")
	flags.StringVar(&f.memory, "memory", "", "at most so much memory, a `size` such as 4g (default: three quarters of the machine's)")
	flags.Int64Var(&f.pids, "pids", 0, "at most so many processes and threads, a `number` (default 4096)")
	flags.StringVar(&f.network, "network", "", "a `kind`: bridge (the default), or none for no network but forwards, git and the agent's model")
}

// json is what an editor would send for the flags that are set.
func (f *containerFlags) json() (json.RawMessage, error) {
	all := map[string]any{}
	set := func(name string, is bool, value any) {
		if is {
			all[name] = value
		}
	}
	set("mounts", len(f.mounts) > 0, f.mounts)
	set("envForward", len(f.env) > 0, f.env)
	set("cpus", f.cpus != 0, f.cpus)
	set("memory", f.memory != "", f.memory)
	set("pids", f.pids != 0, f.pids)
	set("network", f.network != "", f.network)
	data, err := json.Marshal(all)
	if err != nil {
		return nil, fmt.Errorf("encode flags: %w", err)
	}
	return data, nil
}
