package files

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"time"
)

// Sign makes the signature of a link to a file that is good until a time.
func (d *Dir) Sign(id string, until time.Time) string {
	mac := hmac.New(sha256.New, d.key)
	_, _ = fmt.Fprintf(mac, "file %s %d", id, until.Unix()) // a hash takes everything
	return base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
}

// Signed reports whether sig is the signature of such a link. Whether its time
// is over is not its business.
func (d *Dir) Signed(id string, until time.Time, sig string) bool {
	return hmac.Equal([]byte(sig), []byte(d.Sign(id, until)))
}
