package container

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"

	cerrdefs "github.com/containerd/errdefs"
	"github.com/docker/docker/api/types/image"
	"github.com/docker/docker/pkg/jsonmessage"
)

// pull fetches an image for the engine's own platform.
func (e *Engine) pull(ctx context.Context, ref string, report reporter) error {
	report(Progress{StagePull, "Pulling " + ref, -1})
	body, err := e.api.ImagePull(ctx, ref, image.PullOptions{})
	if err == nil {
		defer body.Close()
		err = pullProgress(body, ref, report)
	}
	if err == nil {
		return nil
	}
	if wrapped := wrap(ctx, "pull "+ref, err); ctx.Err() != nil || errors.Is(wrapped, ErrEngineLost) {
		return wrapped
	}
	return &PullError{Ref: printable(ref), Reason: reason(err), Hint: pullHint(printable(ref), err), Err: err}
}

func pullHint(ref string, err error) string {
	if cerrdefs.IsNotFound(err) || cerrdefs.IsUnauthorized(err) || cerrdefs.IsPermissionDenied(err) {
		return fmt.Sprintf("Check the name; for a private image, run `docker login` and `docker pull %s` once.", ref)
	}
	return fmt.Sprintf("Check the network or proxy of the engine (`docker pull %s` tells more), or name an image that it has (`docker images`) in the setting baseImage or the Dockerfile.", ref)
}

// maxLayers bounds what is remembered of a pull; no image has as many layers.
const maxLayers = 1000

// pullProgress reads the engine's stream of messages to its end.
func pullProgress(body io.Reader, ref string, report reporter) error {
	layers := map[string]jsonmessage.JSONProgress{}
	last := -1
	for message, err := range messages(body) {
		if err != nil {
			return err
		}
		if message.Error != nil {
			return message.Error
		}
		if message.Progress == nil || message.Status != "Downloading" || len(layers) == maxLayers {
			continue
		}
		layers[message.ID] = *message.Progress
		if percent := downloaded(layers); percent != last {
			last = percent
			report(Progress{StagePull, "Pulling " + ref, percent})
		}
	}
	return nil
}

func downloaded(layers map[string]jsonmessage.JSONProgress) int {
	var current, total int64
	for l := range maps.Values(layers) {
		current, total = current+l.Current, total+l.Total
	}
	if total <= 0 {
		return -1
	}
	return int(min(100, max(0, current*100/total)))
}

// messages yields the engine's stream of JSON messages; a broken one ends it with an error.
func messages(body io.Reader) func(yield func(jsonmessage.JSONMessage, error) bool) {
	return func(yield func(jsonmessage.JSONMessage, error) bool) {
		decoder := json.NewDecoder(body)
		for {
			var m jsonmessage.JSONMessage
			err := decoder.Decode(&m)
			if err == io.EOF {
				return
			}
			if !yield(m, err) || err != nil {
				return
			}
		}
	}
}
