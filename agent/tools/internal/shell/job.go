package shell

import (
	"context"
	"fmt"
	"slices"
	"time"
)

// Job is a command in the background.
type Job struct {
	number  int
	process *process
	left    bool   // left behind by a command that has ended
	note    string // why it ended, where we ended it
	quiet   bool   // its end is known to whoever asked for it
}

// Status is how a job stands.
type Status struct {
	Number  int
	Command string
	Left    bool // a command that was run in the foreground left this behind
	Running bool
	Exit    int    // of one that has ended; -1: by Signal
	Signal  string // such as "killed"
	Note    string // why it was ended
	Begun   time.Time
	Ended   time.Time // zero while it runs
	Bytes   int64     // of output
}

// Start starts a command in the background, for limit at most, and returns its number.
func (s *Shell) Start(command string, limit time.Duration) (int, error) {
	if !s.reserve() {
		return 0, ErrClosed
	}
	p, err := s.start(command)
	if err != nil {
		s.wg.Done()
		return 0, err
	}
	job := s.adopt(p, false)
	// Ended by the process, which Close ends; Close waits.
	go s.watch(job, limit)
	return job.number, nil
}

// reserve counts in the goroutine of a job, which Close waits for.
func (s *Shell) reserve() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.isClosed {
		s.wg.Add(1)
	}
	return !s.isClosed
}

// adopt makes a job of a process.
func (s *Shell) adopt(p *process, left bool) *Job {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.lastJob++
	job := &Job{number: s.lastJob, process: p, left: left, note: p.left}
	s.jobs = append(s.jobs, job)
	if _, running := s.running[p]; !running { // over before it was a job, see gone
		s.noteEnd(job)
	}
	s.forget()
	return job
}

func (s *Shell) noteEnd(job *Job) {
	s.ended = append(s.ended[max(0, len(s.ended)+1-maxFinished):], job.status())
}

// forget drops the oldest finished jobs over the limit. The caller holds the lock.
func (s *Shell) forget() {
	finished := 0
	for i, job := range slices.Backward(s.jobs) {
		if !job.process.isOver() {
			continue
		}
		if finished++; finished > maxFinished {
			s.jobs = slices.Delete(s.jobs, i, i+1)
		}
	}
}

// watch ends a job whose time is up. After a while it no longer counts as activity: a server may run for days.
func (s *Shell) watch(job *Job, limit time.Duration) {
	defer s.wg.Done()
	timer, calm := time.NewTimer(limit), time.NewTimer(busyFor)
	defer timer.Stop()
	defer calm.Stop()
	for {
		select {
		case <-job.process.over:
			return
		case <-calm.C:
			job.process.notBusy()
		case <-timer.C:
			s.mu.Lock()
			job.note = fmt.Sprintf("its time of %v was up", limit)
			s.mu.Unlock()
			job.process.end(s.cfg.Grace)
		}
	}
}

// gone notes that a process is over.
func (s *Shell) gone(p *process) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.running, p)
	for _, job := range s.jobs {
		if job.process == p && !job.quiet {
			s.noteEnd(job)
		}
	}
}

// Jobs returns how all jobs stand, oldest first, those that ended a while ago included.
func (s *Shell) Jobs() []Status {
	s.mu.Lock()
	defer s.mu.Unlock()
	all := make([]Status, len(s.jobs))
	for i, job := range s.jobs {
		all[i] = job.status()
	}
	return all
}

// Ended returns the jobs that have ended by themselves, or since their time was up, since the last call.
func (s *Shell) Ended() []Status {
	s.mu.Lock()
	defer s.mu.Unlock()
	ended := s.ended
	s.ended = nil
	return ended
}

// status is called with the lock held.
func (j *Job) status() Status {
	p := j.process
	status := Status{
		Number: j.number, Command: p.command, Left: j.left, Running: !p.isOver(), Note: j.note, Begun: p.begun, Bytes: p.out.written(),
	}
	if !status.Running {
		result := p.result()
		status.Exit, status.Signal, status.Ended = result.Exit, result.Signal, p.ended
	}
	return status
}

func (s *Shell) job(number int) (*Job, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, job := range s.jobs {
		if job.number == number {
			return job, nil
		}
	}
	return nil, ErrNoJob
}

// Read returns a job's output so far, as Run does. It waits for the job to end, but for wait at most.
func (s *Shell) Read(ctx context.Context, number int, wait time.Duration) (output, whole string, status Status, err error) {
	job, err := s.job(number)
	if err != nil {
		return "", "", Status{}, err
	}
	if wait > 0 {
		timer := time.NewTimer(wait)
		defer timer.Stop()
		select {
		case <-job.process.over:
		case <-timer.C:
		case <-ctx.Done():
			return "", "", Status{}, ctx.Err()
		}
	}
	output, whole = job.process.out.text()
	s.mu.Lock()
	defer s.mu.Unlock()
	return output, whole, job.status(), nil
}

// Kill ends a job and all its processes, and returns how it stands then.
func (s *Shell) Kill(number int) (Status, error) {
	job, err := s.job(number)
	if err != nil {
		return Status{}, err
	}
	s.mu.Lock()
	job.quiet = true
	s.mu.Unlock()
	job.process.end(s.cfg.Grace)
	job.process.settle()
	s.mu.Lock()
	defer s.mu.Unlock()
	return job.status(), nil
}
