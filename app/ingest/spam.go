package ingest

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"

	"hookgate/forms"
	"hookgate/internal/event"
)

// CaptchaRefused says that a captcha's vendor took the answer for none of a
// person's, with its own words.
type CaptchaRefused struct{ Codes []string }

func (e *CaptchaRefused) Error() string { return forms.RefusedCaptcha(e.Codes) }

// judgePost asks whether a post in order is spam, and says how a repeat of it
// is recognised. A captcha that cannot be checked keeps nobody out: the event
// is marked and goes on.
func (in *Intake) judgePost(e *event.Event, f *forms.Form, r *Request, result *forms.Result) {
	if result.Spam == "" {
		result.Spam = f.Judge(result, in.formKey, r.Now)
	}
	if c := f.Captcha(); c != nil && result.Spam == "" && in.captcha != nil {
		err := in.captcha(c, f.CaptchaAnswer(result), r.RemoteIP)
		if refused := (*CaptchaRefused)(nil); errors.As(err, &refused) {
			result.Spam = refused.Error()
		} else if err != nil {
			e.Cause = "captcha not checked: " + err.Error()
			in.logger.Error("a captcha could not be checked, the post was taken", "form", f.Name, "event", e.ID, "error", err)
		}
	}
	if window := f.Duplicates(); window > 0 && result.Spam == "" && !f.Webhook() { // of a builder, its sender says
		e.Dedupe = &event.Dedupe{Key: postKey(f.Name, r.RemoteIP, result), Window: window}
	}
}

// postKey is the same for a post that is sent twice: a double click, or a
// reload. The address is in it because two people may write the same. Files
// count by their content: each post gives them new ids.
func postKey(form, remoteIP string, result *forms.Result) string {
	data := result.Data
	for _, u := range result.Uploads {
		data = bytes.ReplaceAll(data, []byte(u.ID), nil)
	}
	sum := sha256.Sum256(fmt.Appendf(nil, "post %s %s %v %s", form, remoteIP, result.Said, data))
	return hex.EncodeToString(sum[:16])
}
