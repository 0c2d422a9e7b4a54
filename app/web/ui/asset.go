package ui

import (
	"crypto/sha256"
	"encoding/hex"
	"io/fs"
	"path"
	"sync"
)

// asset is a file that is built in: style, script, icon.
type asset struct {
	hash      string // of its content: the URL changes with it
	mediaType string
	content   []byte
	// packed is the content compressed by gzip, when first asked for; nil where that saves
	// nothing.
	packed func() []byte
}

// assets are the files by name, without folders.
type assets map[string]*asset

func readAssets(files fs.FS) (assets, error) {
	list := assets{}
	return list, fs.WalkDir(files, ".", func(p string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		var typ string
		switch path.Ext(p) {
		case ".css":
			typ = "text/css; charset=utf-8"
		case ".js":
			typ = "text/javascript; charset=utf-8"
		case ".svg":
			typ = "image/svg+xml"
		default:
			return nil // licences and notes are not served
		}
		content, err := fs.ReadFile(files, p)
		if err != nil {
			return err
		}
		sum := sha256.Sum256(content)
		list[path.Base(p)] = &asset{hash: hex.EncodeToString(sum[:6]), mediaType: typ, content: content, packed: sync.OnceValue(func() []byte { return pack(content) })}
		return nil
	})
}

// url is where a file is served.
func (a assets) url(name string) string {
	return prefix + "/static/" + a[name].hash + "/" + name
}
