//go:build unix

package credentials

import (
	"context"
	"os/exec"
	"syscall"
)

// shell is a command line as the AWS CLI runs it, in a process group of its own that ends with ctx: a
// shell that is killed alone leaves behind what it started, holding the output open.
func shell(ctx context.Context, line string) *exec.Cmd {
	command := exec.CommandContext(ctx, "/bin/sh", "-c", line)
	command.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	command.Cancel = func() error { return syscall.Kill(-command.Process.Pid, syscall.SIGKILL) }
	return command
}
