package credentials

import (
	"context"
	"os/exec"
)

// shell is a command line as the AWS CLI runs it. Windows has no process groups to end: what the command
// itself started is left behind when ctx ends.
func shell(ctx context.Context, line string) *exec.Cmd {
	return exec.CommandContext(ctx, "cmd.exe", "/C", line)
}
