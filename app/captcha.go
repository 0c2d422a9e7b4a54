package app

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"hookgate/app/ingest"
	"hookgate/forms"
	"hookgate/internal/egress"
)

const (
	captchaTime   = 5 * time.Second // a visitor waits for it
	captchaAnswer = 64 << 10        // bytes of a vendor's answer
)

// ourFault are the vendors' words for a mistake in the configuration, or in
// their own house: no visitor is to suffer from them.
var ourFault = []string{
	"missing-input-secret", "invalid-input-secret", "bad-request", "internal-error", "sitekey-secret-mismatch", "not-using-dummy-passcode",
	"missing-remoteip", "invalid-remoteip",
}

// checkCaptcha asks the captcha's vendor about an answer, see intake.Options.
func (a *App) checkCaptcha(c *forms.Captcha, answer, remoteIP string) error {
	ctx, cancel := context.WithTimeout(context.Background(), captchaTime)
	defer cancel()
	form := url.Values{"secret": {c.Secret.Reveal()}, "response": {answer}}
	if remoteIP != "" {
		form.Set("remoteip", remoteIP)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, c.VerifyURL, strings.NewReader(form.Encode()))
	if err != nil {
		return errors.New("its verify_url is no usable address")
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.Header.Set("User-Agent", "hookgate/"+a.opt.Version)
	res, err := a.plan.Load().client.HTTP(captchaTime).Do(req)
	if err != nil {
		return fmt.Errorf("the vendor was not reached: %w", egress.Cause(err))
	}
	defer func() { _ = res.Body.Close() }()
	var verdict struct {
		Success *bool    `json:"success"`
		Score   *float64 `json:"score"`
		Codes   []string `json:"error-codes"`
	}
	text, err := io.ReadAll(io.LimitReader(res.Body, captchaAnswer))
	if err == nil {
		err = json.Unmarshal(text, &verdict)
	}
	switch {
	case err != nil || verdict.Success == nil:
		return fmt.Errorf("the vendor answered %d with something else than a verdict", res.StatusCode)
	case *verdict.Success:
		low, err := c.JudgeScore(verdict.Score)
		if low != "" {
			return &ingest.CaptchaRefused{Codes: []string{low}}
		}
		return err
	}
	if i := slices.IndexFunc(verdict.Codes, func(code string) bool { return slices.Contains(ourFault, code) }); i >= 0 {
		return fmt.Errorf("the vendor says %q", verdict.Codes[i])
	}
	return &ingest.CaptchaRefused{Codes: verdict.Codes}
}
