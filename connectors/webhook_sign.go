package connectors

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"hash"
	"sync"
)

// signer makes the signatures of one connection as Standard Webhooks describes
// them ("Signature scheme"). It does what Sign of the library does, which sets
// up its hash and formats the whole body anew for each message: that costs
// more than the hashing. The tests hold it to the library. It is safe for
// concurrent use.
type signer struct {
	hashes sync.Pool // of *keyedHash
}

// keyedHash is a hash with the connection's key and room for what goes in and
// comes out.
type keyedHash struct {
	mac  hash.Hash
	text []byte
	sum  [sha256.Size]byte
}

func newSigner(key []byte) *signer {
	return &signer{hashes: sync.Pool{New: func() any { return &keyedHash{mac: hmac.New(sha256.New, key)} }}}
}

// sign is the value of webhook-signature: the hash of "id.timestamp.body".
func (s *signer) sign(id, timestamp string, body []byte) string {
	const version = "v1,"
	h := s.hashes.Get().(*keyedHash)
	defer s.hashes.Put(h)
	h.text = append(append(append(append(h.text[:0], id...), '.'), timestamp...), '.')
	h.mac.Reset()
	h.mac.Write(h.text)
	h.mac.Write(body)
	h.text = append(h.text[:0], version...)
	h.text = base64.StdEncoding.AppendEncode(h.text, h.mac.Sum(h.sum[:0]))
	return string(h.text)
}
