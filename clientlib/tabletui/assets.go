package tabletui

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io/fs"
	"net/http"
	"path"
)

// pathAssets is where stylesheets, scripts and pictures are.
const pathAssets = "/assets/"

// asset is one of them. Links to it carry its version, so that browsers may keep it.
type asset struct {
	content []byte
	version string
}

var assetTypes = map[string]string{
	".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".svg": "image/svg+xml", ".webmanifest": "application/manifest+json",
}

func (u *UI) loadAssets() error {
	names, err := fs.Glob(embedded, "assets/*")
	if err != nil {
		return fmt.Errorf("the assets: %w", err)
	}
	for _, name := range names {
		if assetTypes[path.Ext(name)] == "" { // where htmx comes from is for its readers, not for browsers
			continue
		}
		b, err := embedded.ReadFile(name)
		if err != nil {
			return fmt.Errorf("the assets: %w", err)
		}
		sum := sha256.Sum256(b)
		u.assets[path.Base(name)] = asset{b, hex.EncodeToString(sum[:6])}
	}
	return nil
}

// Asset is the address of an asset.
func (v *visit) Asset(name string) string { return pathAssets + name + "?" + v.assets[name].version }

func (u *UI) asset(w http.ResponseWriter, r *http.Request) {
	name := r.PathValue("name")
	a, ok := u.assets[name]
	if !ok {
		http.NotFound(w, r)
		return
	}
	w.Header().Set("Content-Type", assetTypes[path.Ext(name)])
	w.Header().Set("Cache-Control", "public, max-age=31536000, immutable")
	_, _ = w.Write(a.content) // a browser that has gone needs no answer
}
