package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
)

// startNginx starts an nginx with its default settings in front of a gateway's address, and is where it listens.
// What is set is where it listens and writes, and to whom it passes everything.
func startNginx(ctx context.Context, dir, gateway string) (*program, string, error) {
	file := filepath.Join(dir, "nginx.conf")
	var wrong error
	p, address, err := start(ctx, dir, "nginx", func(address string) *exec.Cmd {
		text := fmt.Sprintf(`daemon off;
pid %[1]s/nginx.pid;
events {}
http {
  access_log off;
  client_body_temp_path %[1]s/nginx-body; proxy_temp_path %[1]s/nginx-proxy;
  fastcgi_temp_path %[1]s/nginx-fastcgi; uwsgi_temp_path %[1]s/nginx-uwsgi; scgi_temp_path %[1]s/nginx-scgi;
  server {
    listen %[2]s;
    location / { proxy_pass http://%[3]s; }
  }
}
`, dir, address, gateway)
		wrong = os.WriteFile(file, []byte(text), 0o600)
		return exec.CommandContext(ctx, "nginx", "-p", dir, "-e", filepath.Join(dir, "nginx-errors.log"), "-c", file)
	})
	if wrong != nil {
		return nil, "", wrong
	}
	return p, address, err
}
