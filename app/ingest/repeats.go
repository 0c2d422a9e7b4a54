package ingest

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"

	"hookgate/app/ingest/source"
	"hookgate/forms"
	"hookgate/internal/event"
)

// dedupe is how a repeat of the event is recognised; nil: not at all. Keys are
// hashed: they are as short as they can be, and the sender's id stays private.
// The URL's query counts as a part of the content: in a GET it is all there is.
func dedupe(by source.Repeats, senderID string, content []byte, query string) *event.Dedupe {
	if by.Window <= 0 || by.ID && senderID == "" {
		return nil
	}
	what, kind := content, "body:"
	if query != "" {
		kind = fmt.Sprintf("body %d %s:", len(query), query)
	}
	switch {
	case by.ID && by.Content:
		kind = fmt.Sprintf("id %d %s and %s", len(senderID), senderID, kind)
	case by.ID:
		what, kind = []byte(senderID), "id:"
	}
	return &event.Dedupe{Key: digest(kind, what), Window: by.Window}
}

// submissionContent is what makes two submissions of one id the same: what the
// builder tells of them, and their fields. The raw body is not: it holds whether
// somebody has read the entry, and the like.
func submissionContent(result *forms.Result, meta map[string]any) []byte {
	return append(fmt.Appendf(nil, "%v ", meta), result.Data...)
}

// postKey is the same for a post that is sent twice: a double click, or a
// reload. The address is in it because two people may write the same. Files
// count by their content: each post gives them new ids.
func postKey(form, remoteIP string, result *forms.Result) string {
	data := result.Data
	for _, u := range result.Uploads {
		data = bytes.ReplaceAll(data, []byte(u.ID), nil)
	}
	return digest(fmt.Sprintf("post %s %s %v ", form, remoteIP, result.Said), data)
}

// digest is a short hash.
func digest(kind string, what []byte) string {
	sum := sha256.Sum256(append([]byte(kind), what...))
	return hex.EncodeToString(sum[:16])
}
