package db

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"os"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"hookgate/internal/event"
)

// What was packed stays readable: the words are part of the format, and what
// stands here was packed by the version that brought them.
func TestWords_stay(t *testing.T) {
	t.Parallel()
	const want = "e0e1777f257c1c1280d0daf1cc9dcb07d82b6545100571cca5968ee8361f4922"
	if sum := sha256.Sum256(words); hex.EncodeToString(sum[:]) != want {
		t.Errorf("words.bin has the sum %x: other words need another file and a number of their own, or nothing stored can be read", sum)
	}
	const stored = "AtAKThYAOG9uCzIwMy4wLjExMy43AR3JMuEACACRCjZYCtFVPpIGdtURAC8NN0QvMzIxNjU0L3NjcmVlbnNob3QeDQsQaWQiOiAJHg0SIgQOMEhhcnJ5J3MgRGluZXIRMCLM" +
		"CiwiZXhhbXBsZS5jb20RHUbaBi6ADTLfBi4ZAAlULgQPMl0AMs4OKQDuGBIVABUMMTIzLB7ODB4ZDhBNYXJ5IBpdChEcIpwOQG1hcnktc2FsZXNAYWdlbmN5PRAqsw46" +
		"PwAisAgusA1Wtw46uQ4MTWFyeRmHIswIQmIAOsYOlj4STv4ANExpc2EgV2ViZGVzaWduGXs1AhRsaXNhLXcRIXIGAS65D/IGAQxMaXNhFQANSqkAYgoBMpoLBCB7EU5i" +
		"CgEYSm9obiBEbx6NFC4EARxqb2huLWRvZRH+FQBWCEpvaD2JXQQynQBi+AAqEgwufwLumhIVAEA+CwoOQBERAAQKAA=="
	blob, err := base64.StdEncoding.DecodeString(stored)
	if err != nil {
		t.Fatal(err)
	}
	content, err := unpack(blob)
	if err != nil || !bytes.Equal(content, sampleContent(t)) {
		t.Errorf("got %q, %v", content, err)
	}
}

// sampleContent is what is kept of Sitejet's example.
func sampleContent(t *testing.T) []byte {
	t.Helper()
	body, err := os.ReadFile("../app/ingest/samples/files/sitejet/website_status_changed.json")
	if err != nil {
		t.Fatal(err)
	}
	content, err := appendContent(nil, &event.Event{Body: body, Request: event.Request{
		Method: "POST", ContentType: "application/json", RemoteIP: "203.0.113.7", Headers: map[string]string{"user-agent": "GuzzleHttp/7"},
	}})
	if err != nil {
		t.Fatal(err)
	}
	return content
}

// An event takes at most two thirds of what it takes without words.
func TestWords_size(t *testing.T) {
	t.Parallel()
	content := sampleContent(t)
	if with, without := len(packWithWords(nil, content)), len(pack(nil, content)); 3*with > 2*without {
		t.Errorf("%d bytes with words and %d without", with, without)
	}
}

// Whatever is packed comes back, with the size that its head tells; whatever
// stands in a blob is read or refused.
func TestUnpack(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		part := rapid.SampledFrom([]string{string(words[:400]), string(words[len(words)-300:]), "a", `{"event":"`, "\x00\xff"})
		content := []byte(strings.Join(rapid.SliceOfN(part, 0, 12).Draw(t, "parts"), rapid.String().Draw(t, "between")))
		content = bytes.Repeat(content, rapid.SampledFrom([]int{1, 1, 1, 40}).Draw(t, "times"))
		for name, as := range map[string]func(dst, content []byte) []byte{"plain": pack, "words": packWithWords} {
			blob := as([]byte("before"), content)
			if !bytes.HasPrefix(blob, []byte("before")) {
				t.Fatalf("%s: what stood before is gone", name)
			}
			blob = blob[len("before"):]
			got, err := unpack(blob)
			if err != nil || !bytes.Equal(got, content) {
				t.Fatalf("%s: %d bytes came back of %d, %v", name, len(got), len(content), err)
			}
			if size := unpackedSize(blob[:min(len(blob), blobHead)]); len(content) >= packFrom && size != len(content) {
				t.Fatalf("%s: its head says %d bytes, want %d", name, size, len(content))
			}
			blob[rapid.IntRange(0, len(blob)-1).Draw(t, "at")] ^= byte(rapid.IntRange(1, 255).Draw(t, "bits"))
			if _, err := unpack(blob); err != nil && !errors.Is(err, errBlob) {
				t.Fatalf("%s: damaged: %v", name, err)
			}
		}
	})
}
