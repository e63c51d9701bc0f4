package credentials

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
)

const (
	// processOutput is the most a credential_process may print.
	processOutput = 64 << 10

	// processGrace is how long the output of a process that was ended may stay open.
	processGrace = time.Second
)

// process is what the profile's credential_process prints. One run of a command line is under way at a time,
// whichever routes want it, and what it printed a moment ago is as good as what it would print now; unless it is
// just what this route wants to replace.
func (l link) process(ctx context.Context) (aws.Credentials, error) {
	waitFor(ctx, "process_timeout", l.name()+": credential_process")
	g, leave, err := l.options.Home.enter(ctx, "process "+l.profile.CredentialProcess)
	if err != nil {
		return aws.Credentials{}, err
	}
	defer leave()
	if g.last != nil && time.Since(g.last.at) <= afterglow {
		// A failure is news to all but the route that has had its pause for it.
		creds, err := l.printed(ctx, g.last)
		if err == nil && isNews(ctx, creds.AccessKeyID) || err != nil && stageOf(ctx).failed.Before(g.last.at) {
			return creds, err
		}
	}
	r := l.runProcess(ctx)
	if ctx.Err() == nil {
		g.last = r // nobody else's run is to end with this route's
	}
	return l.printed(ctx, r)
}

// printed is the credentials that a run printed.
func (l link) printed(ctx context.Context, r *ran) (aws.Credentials, error) {
	if r.err != nil {
		return aws.Credentials{}, l.processFailed(r.err)
	}
	creds, what := parseProcess(r.output)
	if what != "" {
		return aws.Credentials{}, l.processFailed(errors.New(what))
	}
	return creds, usable(ctx, creds, l.name())
}

var (
	// errProcessTimeout is the end of a run that took too long.
	errProcessTimeout = errors.New("did not finish in time")

	// errNoTurn is the end of a wait to run at all.
	errNoTurn = errors.New("got no turn to run in time")
)

// runProcess runs the command line. It reads no input of ours, is ended with all it started, and nothing it
// prints ever stands in an error.
func (l link) runProcess(ctx context.Context) *ran {
	done, err := l.options.Home.ask(ctx)
	if err != nil {
		return &ran{err: errNoTurn}
	}
	defer done()
	running, end := context.WithCancel(ctx)
	defer end()
	command := shell(running, l.profile.CredentialProcess)
	output := &capped{limit: processOutput, full: end}
	command.Stdout = output
	command.Env = withoutOurs(os.Environ())
	command.WaitDelay = processGrace
	err = command.Run()
	r := &ran{at: time.Now(), output: output.held}
	switch {
	case output.over:
		r.err = errors.New("printed more than 64 KiB")
	case ctx.Err() != nil && err != nil:
		r.err = errProcessTimeout
	case errors.Is(err, exec.ErrWaitDelay):
		// It ended well, and left behind an agent of its own that holds the output open.
	case err != nil:
		r.err = errors.New(exited(err))
	}
	return r
}

// processFailed says how a run failed, which is never by what it printed.
func (l link) processFailed(how error) error {
	e := &Error{Reason: "process_failed", Message: l.name() + ": credential_process " + how.Error(), Err: how}
	if errors.Is(how, errProcessTimeout) || errors.Is(how, errNoTurn) {
		e.Reason = "process_timeout"
	}
	return e
}

// exited says how a process ended, without what it said.
func exited(err error) string {
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		return "ended with " + exit.ProcessState.String()
	}
	return "could not be run"
}

// parseProcess reads what a credential_process printed, or says what is wrong with it.
func parseProcess(output []byte) (creds aws.Credentials, what string) {
	var printed struct {
		Version                                    int
		AccessKeyId, SecretAccessKey, SessionToken string
		Expiration                                 *time.Time
		AccountId                                  string
	}
	switch err := json.Unmarshal(output, &printed); {
	case err != nil:
		return creds, "printed no JSON that can be read"
	case printed.Version != 1:
		return creds, "printed a Version other than 1"
	case printed.AccessKeyId == "" || printed.SecretAccessKey == "":
		return creds, "printed no key"
	}
	creds = aws.Credentials{
		AccessKeyID: printed.AccessKeyId, SecretAccessKey: printed.SecretAccessKey, SessionToken: printed.SessionToken,
		AccountID: printed.AccountId, Source: "credential_process",
	}
	if printed.Expiration != nil {
		creds.CanExpire, creds.Expires = true, *printed.Expiration
		if time.Since(creds.Expires) > late {
			return creds, "printed credentials that have expired"
		}
	}
	return creds, ""
}

// withoutOurs is an environment without what is meant for this program alone.
func withoutOurs(environ []string) []string {
	kept := make([]string, 0, len(environ))
	for _, v := range environ {
		if !strings.HasPrefix(v, "SIGNET_") {
			kept = append(kept, v)
		}
	}
	return kept
}

// capped holds what is written to it, up to a limit; past that it refuses and calls full. It has no other way
// in: a bytes.Buffer of its own kind would read past the limit by ReadFrom.
type capped struct {
	held  []byte
	limit int
	full  func()
	over  bool
}

// Write holds p, or refuses it whole.
func (c *capped) Write(p []byte) (int, error) {
	if len(c.held)+len(p) > c.limit {
		c.over = true
		c.full()
		return 0, errors.New("too much output")
	}
	c.held = append(c.held, p...)
	return len(p), nil
}
