package container

import (
	"archive/tar"
	"encoding/json"
	"fmt"
	"io"
)

// installers are the package managers' ways to add git, with the certificates that it needs for https.
var installers = map[string]string{
	"apt-get":  "apt-get update && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends git ca-certificates && rm -rf /var/lib/apt/lists/*",
	"apk":      "apk add --no-cache git ca-certificates",
	"dnf":      "dnf install -y git ca-certificates && dnf clean all",
	"microdnf": "microdnf install -y git ca-certificates && microdnf clean all",
	"yum":      "yum install -y git ca-certificates && yum clean all",
	"zypper":   "zypper --non-interactive install git ca-certificates && zypper clean --all",
	"pacman":   "pacman -Sy --noconfirm git ca-certificates && rm -rf /var/cache/pacman/pkg/*",
}

// layerDockerfile is what is put on top of the user's image: git where it lacks, and the labels that the builder adds.
// The RUN names its shell since an image's SHELL may be anything.
func layerDockerfile(imageID, user string, found probe) (string, error) {
	text := "FROM " + imageID + "\n"
	setUser := ""
	if user != "" {
		setUser = "USER " + user + "\n"
	}
	if found.Git {
		return text + setUser, nil
	}
	install, ok := installers[found.Manager]
	if !ok {
		return "", ErrNoGit
	}
	run, err := json.Marshal([]string{"sh", "-c", install + " && git --version"})
	if err != nil {
		return "", fmt.Errorf("encode command: %w", err)
	}
	return text + "USER root\nRUN " + string(run) + "\n" + setUser, nil
}

// singleFile writes a build context that is nothing but a Dockerfile.
func singleFile(data []byte) func(io.Writer) error {
	return func(w io.Writer) error {
		out := tar.NewWriter(w)
		if err := out.WriteHeader(&tar.Header{Name: "Dockerfile", Mode: 0o644, Size: int64(len(data))}); err != nil {
			return err
		}
		if _, err := out.Write(data); err != nil {
			return err
		}
		return out.Close()
	}
}
