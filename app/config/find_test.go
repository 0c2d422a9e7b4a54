package config_test

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"hookgate/app/config"
)

func TestFind(t *testing.T) { // not parallel: it changes the working directory
	folder := t.TempDir()
	t.Chdir(folder)
	xdg, home := filepath.Join(folder, "xdg"), filepath.Join(folder, "home")
	env := lookup(map[string]string{"XDG_CONFIG_HOME": xdg, "HOME": home})
	find := func(explicit string, env config.LookupFunc) string {
		t.Helper()
		path, err := config.Find(explicit, env)
		if err != nil && !errors.Is(err, config.ErrNoConfig) {
			t.Errorf("got %v", err)
		}
		return path
	}
	if _, err := os.Stat("/etc/hookgate/config.yaml"); err != nil {
		if got := find("", env); got != "" {
			t.Errorf("nothing there: got %s", got)
		}
	}
	for _, base := range []string{filepath.Join(home, ".config"), xdg} {
		path := filepath.Join(base, "hookgate", "config.yaml")
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if got := find("", env); got != filepath.Join(xdg, "hookgate", "config.yaml") {
		t.Errorf("XDG_CONFIG_HOME: got %s", got)
	}
	if got := find("", lookup(map[string]string{"HOME": home})); got != filepath.Join(home, ".config", "hookgate", "config.yaml") {
		t.Errorf("HOME: got %s", got)
	}
	if err := os.WriteFile("config.yaml", nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if got := find("", env); got != "config.yaml" {
		t.Errorf("working directory: got %s", got)
	}
	if got := find("", lookup(map[string]string{"HOOKGATE_CONFIG": "other.yaml"})); got != "other.yaml" {
		t.Errorf("HOOKGATE_CONFIG: got %s", got)
	}
	if got := find("given.yaml", lookup(map[string]string{"HOOKGATE_CONFIG": "other.yaml"})); got != "given.yaml" {
		t.Errorf("-c: got %s", got)
	}
}
