package container

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/docker/docker/api/types/image"
)

// imageBuild is one call of EnsureImage.
type imageBuild struct {
	*Engine
	spec    ImageSpec
	src     source
	context buildContext
	hash    string
	ref     string
	bases   map[string]string // image reference -> id, of those that are there
	foreign *WrongArchError   // a base image for another processor
	report  reporter
}

// readInputs looks at everything that the image is made from.
func (b *imageBuild) readInputs(ctx context.Context) (err error) {
	if err := b.inspectBases(ctx); err != nil {
		return err
	}
	if b.src.root != nil {
		if b.context, err = readBuildContext(b.src, b.spec.MaxContext); err != nil {
			return err
		}
	}
	if b.hash, err = inputsHash(b.src, b.context, b.spec); err != nil {
		return err
	}
	b.ref = imageRef(b.spec.Dir, b.hash)
	return nil
}

// inspectBases notes the base images that are there. One with ONBUILD instructions may COPY what the Dockerfile itself
// does not.
func (b *imageBuild) inspectBases(ctx context.Context) error {
	b.bases = map[string]string{}
	for _, ref := range b.src.parsed.bases {
		found, err := b.api.ImageInspect(ctx, ref)
		err = wrap(ctx, "inspect base image", err)
		if errors.Is(err, ErrNotFound) {
			continue
		}
		if err != nil {
			return err
		}
		b.bases[ref] = found.ID
		if arch := goArch(found.Architecture); arch != b.arch {
			b.foreign = &WrongArchError{Ref: ref, Image: arch, Engine: b.arch}
		}
		if found.Config == nil {
			continue
		}
		for _, line := range found.Config.OnBuild {
			b.src.parsed.context = true
			if err := checkAdd(b.dockerfile(), line); err != nil {
				return err
			}
		}
	}
	return nil
}

// dockerfile is the Dockerfile's name for a BuildError.
func (b *imageBuild) dockerfile() string {
	if b.src.root == nil {
		return ""
	}
	return b.src.name
}

// lookup returns the image if it is there and current; its Cached tells.
func (b *imageBuild) lookup(ctx context.Context) (Image, error) {
	found, err := b.api.ImageInspect(ctx, b.ref)
	err = wrap(ctx, "inspect image", err)
	if errors.Is(err, ErrNotFound) {
		return Image{}, nil
	}
	if err != nil {
		return Image{}, err
	}
	image, bases, ok := b.describe(found)
	if !ok {
		return Image{}, nil
	}
	image.Cached = b.sameBases(bases)
	return image, nil
}

// sameBases tells whether no base image is another one now. One that is not there any more has not changed.
func (b *imageBuild) sameBases(built map[string]string) bool {
	for ref, id := range b.bases {
		if id != built[ref] {
			return false
		}
	}
	return true
}

// describe reads back what run wrote into an image's labels. It is not ok for an image that is not of ours, or of
// another make.
func (b *imageBuild) describe(found image.InspectResponse) (out Image, bases map[string]string, ok bool) {
	if found.Config == nil || found.Config.Labels[LabelImageInputs] != b.hash {
		return Image{}, nil, false
	}
	labels := found.Config.Labels
	var seen probe
	if json.Unmarshal([]byte(labels[labelProbe]), &seen) != nil || json.Unmarshal([]byte(labels[labelBases]), &bases) != nil {
		return Image{}, nil, false
	}
	if found.Config.User != "" && !regexpUser.MatchString(found.Config.User) {
		return Image{}, nil, false
	}
	return Image{
		ID: found.ID, Ref: b.ref, Arch: goArch(found.Architecture), User: found.Config.User,
		UID: seen.UID, GID: seen.GID, Home: seen.Home, Env: found.Config.Env, Bash: seen.Bash, IPv6: seen.IPv6,
		Source: b.src.name,
	}, bases, true
}

// run builds: the bases, the user's image, and what is ours on top of it.
func (b *imageBuild) run(ctx context.Context) (Image, error) {
	if err := b.ensureBases(ctx); err != nil {
		return Image{}, err
	}
	id, err := b.buildUser(ctx)
	if err != nil {
		return Image{}, err
	}
	found, err := b.api.ImageInspect(ctx, id)
	if err != nil {
		return Image{}, wrap(ctx, "inspect image", err)
	}
	if err := b.checkUser(found); err != nil {
		return Image{}, err
	}
	seen, err := b.probe(ctx, found)
	if err != nil {
		return Image{}, err
	}
	if err := b.buildFinal(ctx, found, seen); err != nil {
		return Image{}, err
	}
	if found, err = b.api.ImageInspect(ctx, b.ref); err != nil {
		return Image{}, wrap(ctx, "inspect image", err)
	}
	image, _, ok := b.describe(found)
	if !ok {
		return Image{}, fmt.Errorf("inspect image %s: it is not the one that was built", b.ref)
	}
	return image, nil
}

// ensureBases pulls what is missing, before the builder does: so that its failure is told apart from the build's.
func (b *imageBuild) ensureBases(ctx context.Context) error {
	pulled := false
	for _, ref := range b.src.parsed.bases {
		if b.bases[ref] != "" {
			continue
		}
		if err := b.pull(ctx, ref, b.report); err != nil {
			return err
		}
		pulled = true
	}
	if !pulled {
		return nil
	}
	return b.readInputs(ctx)
}

func (b *imageBuild) buildUser(ctx context.Context) (string, error) {
	spec := buildSpec{
		dockerfile: "Dockerfile", stage: StageBuild, args: b.spec.BuildArgs, target: b.spec.Target, fresh: b.spec.Rebuild,
		labels: map[string]string{LabelKind: KindImage, LabelVersion: b.version, LabelOwner: b.owner},
		write:  singleFile(b.src.data),
	}
	if b.src.root != nil {
		spec.name, spec.dockerfile, spec.write = b.src.name, b.src.dockerfile, b.context.writeTo
		spec.heredoc = b.src.parsed.heredoc
	}
	id, err := b.build(ctx, spec, b.report)
	if failure, ok := errors.AsType[*BuildError](err); ok && b.foreign != nil && failure.mentions("exec format error") {
		return "", b.foreign
	}
	return id, err
}

// probe looks at what was built. An image for another processor runs where the engine emulates that; whether it does
// is only known by trying.
func (b *imageBuild) probe(ctx context.Context, built image.InspectResponse) (probe, error) {
	b.report(Progress{StageProbe, "Looking at the image", -1})
	seen, err := b.runProbe(ctx, built.ID, b.spec.User)
	if err == nil || ctx.Err() != nil || errors.Is(err, ErrEngineLost) || errors.Is(err, ErrNoShell) {
		return seen, err
	}
	if arch := goArch(built.Architecture); arch != b.arch {
		return probe{}, &WrongArchError{Ref: b.src.name, Image: arch, Engine: b.arch}
	}
	return probe{}, b.unstartable(built, err)
}

// unstartable: the image is there, and no container of it can be looked into.
func (b *imageBuild) unstartable(built image.InspectResponse, err error) error {
	failure := &BuildError{
		Dockerfile: b.dockerfile(), Err: err,
		Reason: "the image was built, and does not start: " + printable(bareCall(err)),
		Hint:   "Look whether its sh runs: docker run --rm --entrypoint sh " + built.ID + " -c id",
	}
	user := printable(b.user(built))
	// Runtimes have no code for this.
	if text := err.Error(); strings.Contains(text, "unable to find user") || strings.Contains(text, "unable to find group") {
		failure.Reason = "the image's user is " + user + ", and it has no such user or group"
		failure.Hint = "Add the user before the USER instruction (RUN useradd -m <name>), or name another one."
	}
	return failure
}

// user is whom sessions run as.
func (b *imageBuild) user(built image.InspectResponse) string {
	if b.spec.User != "" || built.Config == nil {
		return b.spec.User
	}
	return built.Config.User
}

// checkUser refuses a user that is no plain name. An image may name any text, with variables and line ends, and it goes into files of the host.
func (b *imageBuild) checkUser(built image.InspectResponse) error {
	if user := b.user(built); user != "" && !regexpUser.MatchString(user) {
		return &BuildError{Dockerfile: b.dockerfile(), Reason: "the image's user " + printable(user) + " is no plain name", Hint: "Give USER a name or a number, such as: USER app"}
	}
	return nil
}

func (b *imageBuild) buildFinal(ctx context.Context, built image.InspectResponse, seen probe) error {
	text, err := layerDockerfile(built.ID, b.user(built), seen)
	if err != nil {
		return err
	}
	labels, err := b.labels(seen)
	if err != nil {
		return err
	}
	if !seen.Git {
		b.report(Progress{StageLayer, "Adding git with " + seen.Manager, -1})
	}
	_, err = b.build(ctx, buildSpec{
		dockerfile: "Dockerfile", stage: StageLayer, fresh: b.spec.Rebuild,
		labels: labels, tag: b.ref, write: singleFile([]byte(text)),
	}, b.report)
	if failure, ok := errors.AsType[*BuildError](err); ok {
		return b.layerFailure(failure, seen)
	}
	return err
}

// layerFailure: what failed is ours, and the Dockerfile's steps have all been built.
func (b *imageBuild) layerFailure(failure *BuildError, seen probe) error {
	if seen.Git {
		failure.Reason = "cannot label the image: " + failure.Reason
		failure.Hint = "The engine failed at this, not the Dockerfile; try again."
		return failure
	}
	failure.Reason = "git could not be added to the image with " + seen.Manager + ": " + failure.Reason
	failure.Step = ""
	failure.Hint = "sketch-ide needs git in the image and adds it where it lacks. "
	if b.src.root != nil {
		failure.Hint += "Add it in " + b.src.name + ", in a RUN step that works for this image."
	} else {
		failure.Hint += "Choose an image that has it, or write a Dockerfile.sketch that adds it."
	}
	return failure
}

func (b *imageBuild) labels(seen probe) (map[string]string, error) {
	probed, err1 := json.Marshal(seen)
	bases, err2 := json.Marshal(b.bases)
	if err := errors.Join(err1, err2); err != nil {
		return nil, fmt.Errorf("encode labels: %w", err)
	}
	return map[string]string{
		LabelKind: KindImage, LabelVersion: b.version, LabelOwner: b.owner, LabelImageInputs: b.hash, labelUpon: "",
		labelProbe: string(probed), labelBases: string(bases),
	}, nil
}
