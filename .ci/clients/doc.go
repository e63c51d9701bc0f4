// Package clients holds the MCP clients that people use against a running signet: what each sees of every class of
// failure, and what works for each through a route at its defaults. It is tests alone, in a module of its own, so
// that no SDK is a dependency of signet. The script run beside it installs what they need.
package clients
