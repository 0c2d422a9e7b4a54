package config

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// ErrNoConfig reports that there is no config file in any of the usual places.
var ErrNoConfig = errors.New("there is no config.yaml")

// Find says which file to load: explicit (the -c of the command line) or
// HOOKGATE_CONFIG, whether that exists or not; else the first that exists of
// ./config.yaml, hookgate/config.yaml in $XDG_CONFIG_HOME ($HOME/.config
// unless set), and /etc/hookgate/config.yaml. An error wraps ErrNoConfig and
// says where it was looked for.
func Find(explicit string, getenv LookupFunc) (string, error) {
	if explicit != "" {
		return explicit, nil
	}
	if path, _ := getenv("HOOKGATE_CONFIG"); path != "" {
		return path, nil
	}
	places := []string{"config.yaml"}
	if folder, _ := getenv("XDG_CONFIG_HOME"); filepath.IsAbs(folder) { // the specification: a relative one is to be ignored
		places = append(places, filepath.Join(folder, "hookgate", "config.yaml"))
	} else if home, _ := getenv("HOME"); filepath.IsAbs(home) {
		places = append(places, filepath.Join(home, ".config", "hookgate", "config.yaml"))
	}
	places = append(places, filepath.FromSlash("/etc/hookgate/config.yaml"))
	for _, path := range places {
		if info, err := os.Stat(path); err == nil && !info.IsDir() {
			return path, nil
		}
	}
	return "", fmt.Errorf("%w: looked for %s; name one with -c FILE or HOOKGATE_CONFIG", ErrNoConfig, strings.Join(places, ", "))
}
