package container

// Stage is what EnsureImage is at.
type Stage string

// Stages, in the order in which a build without any cache goes through them.
const (
	StageInputs Stage = "inputs" // reading and hashing the build context
	StagePull   Stage = "pull"   // fetching a base image
	StageBuild  Stage = "build"  // the Dockerfile's steps
	StageProbe  Stage = "probe"  // looking at what is in the image
	StageLayer  Stage = "layer"  // adding git
)

// Progress is one line of news about an image on its way. It is not sent for an image that is there already.
type Progress struct {
	Stage   Stage
	Message string // one line, printable, at most 200 bytes
	Percent int    // of the stage, 0 to 100; -1 where it is not known
}
