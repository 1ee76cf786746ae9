package container

import (
	"encoding/json"
	"errors"
	"fmt"
	"testing"

	"github.com/docker/docker/api/types/image"
)

// An image may name any text as its user, by variables of its environment even one of several lines.
func TestImageUserIsAPlainName(t *testing.T) {
	t.Parallel()
	for user, refused := range map[string]bool{
		"": false, "app": false, "1000:1000": false, "www-data:www-data": false,
		"0:0:$EVIL": true, "$EVIL": true, "x\n  ProxyCommand evil": true, `x"y`: true, "a b": true,
	} {
		var built image.InspectResponse
		if err := json.Unmarshal(fmt.Appendf(nil, `{"Config":{"User":%q}}`, user), &built); err != nil {
			t.Fatal(err)
		}
		b := &imageBuild{src: source{name: "Dockerfile"}}
		err := b.checkUser(built)
		if _, ok := errors.AsType[*BuildError](err); ok != refused {
			t.Errorf("%q: %v", user, err)
		}
	}
}
