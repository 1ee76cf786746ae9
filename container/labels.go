package container

// Labels of everything that this package makes. A container inherits the labels of its image, and an image those of
// its base, so that only LabelKind, which is set anew on each, says what a thing is.
const (
	// LabelKind is KindSession, KindProbe, KindImage, KindNetwork or KindVolume.
	LabelKind = "dev.sketch-ide.kind"
	// LabelSession is the name of the session, and of its container.
	LabelSession = "dev.sketch-ide.session"
	// LabelFolder is the absolute path of the session's folder on the host; set by the caller.
	LabelFolder = "dev.sketch-ide.folder"
	// LabelVersion is the version of sketch-ide that made the thing.
	LabelVersion = "dev.sketch-ide.version"
	// LabelOwner is Options.Owner of who made the thing. It is set on all of them, to "" where there is none: an image's
	// would show on its containers otherwise.
	LabelOwner = "dev.sketch-ide.owner"
	// LabelImageInputs is the hash over all that went into an image; it is also in the image's tag.
	LabelImageInputs = "dev.sketch-ide.image-inputs"

	labelPrefix = "dev.sketch-ide." // of all of them

	labelUpon  = "dev.sketch-ide.image-upon"  // of an image with shared files: the id of the one that it stands upon
	labelProbe = "dev.sketch-ide.image-probe" // JSON of Probe
	labelBases = "dev.sketch-ide.image-bases" // JSON: image reference -> image id
)

// Values of LabelKind.
const (
	KindSession = "session"
	KindProbe   = "probe"
	KindImage   = "image"
	KindNetwork = "network"
	KindVolume  = "volume"
)
