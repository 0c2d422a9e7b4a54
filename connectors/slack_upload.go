package connectors

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"net/url"

	"github.com/slack-go/slack"

	"hookgate/internal/egress"
	"hookgate/internal/event"
)

// share sends files to Slack and shows them where the message is. Slack drops
// what was uploaded and not shown: another attempt begins anew.
func (s *slackConnector) share(parent, ctx context.Context, place filesPlace, files []slackFile) (event.Receipt, error) {
	sent := make([]slack.FileSummary, 0, len(files))
	for _, f := range files {
		id, receipt, err := s.upload(parent, ctx, f)
		if err != nil {
			return receipt, amid(fmt.Sprintf("the message is posted, but not the file %q", excerpt(f.name)), err)
		}
		sent = append(sent, slack.FileSummary{ID: id, Title: f.name})
	}
	call := s.newCall()
	_, err := call.api.CompleteUploadExternalContext(ctx, slack.CompleteUploadExternalParameters{
		Files: sent, Channel: place.Channel, ThreadTimestamp: place.Thread,
	})
	receipt, err := s.judge(parent, ctx, call, err)
	if err != nil {
		return receipt, amid("the message is posted, but not the files", err)
	}
	return receipt, nil
}

// upload asks Slack where a file is to go, and sends it there. The answer of
// the first request holds an address that lets anyone upload: no receipt has it.
func (s *slackConnector) upload(parent, ctx context.Context, f slackFile) (string, event.Receipt, error) {
	call := s.newCall()
	where, err := call.api.GetUploadURLExternalContext(ctx, slack.GetUploadURLExternalParameters{FileName: f.name, FileSize: int(f.size)})
	if receipt, err := s.judge(parent, ctx, call, err); err != nil {
		return "", receipt, err
	}
	target, err := s.uploadTarget(where.UploadURL)
	if err != nil {
		return "", event.Receipt{Status: http.StatusOK}, Permanent(err)
	}
	receipt, err := s.send(parent, ctx, target, f)
	return where.FileID, receipt, err
}

// uploadTarget is the address that Slack gave, if a visitor's file may go
// there: over TLS, but on this machine or to a stand-in that is spoken to
// without it anyway. Whether the host's address is allowed is checked where
// all connections are.
func (s *slackConnector) uploadTarget(raw string) (*url.URL, error) {
	target, err := egress.CheckURL(raw)
	if err != nil {
		return nil, fmt.Errorf("the address for the upload that Slack gave: %w", err)
	}
	api, err := url.Parse(s.settings.api)
	if err != nil {
		return nil, errors.New("api_url cannot be parsed")
	}
	addr, notAddress := netip.ParseAddr(target.Hostname())
	if target.Scheme == "https" || (notAddress == nil && addr.IsLoopback()) || (target.Scheme == api.Scheme && target.Host == api.Host) {
		return target, nil
	}
	return nil, errors.New("the address for the upload that Slack gave is not https")
}

// send streams one file. The request carries no token: the address is all that
// the receiver needs.
func (s *slackConnector) send(parent, ctx context.Context, target *url.URL, f slackFile) (event.Receipt, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, target.String(), f.content)
	if err != nil {
		return event.Receipt{}, Permanent(errors.New("the upload could not be built"))
	}
	req.ContentLength = f.size
	req.Header.Set("Content-Type", "application/octet-stream")
	secrets := append(s.settings.secrets(), urlSecrets(target)...)
	seen := &capture{next: s.transport, secrets: newRedactor(secrets...), userAgent: s.deps.userAgent()}
	resp, err := seen.RoundTrip(req)
	if err != nil {
		return event.Receipt{}, attemptError(parent, ctx, err, s.deps.Timeout)
	}
	defer func() { _ = resp.Body.Close() }()
	if seen.got.status != http.StatusOK {
		return seen.got.receipt(), seen.got.failure(s.deps.Now())
	}
	return seen.got.receipt(), nil
}

// amid is err with words before it. What it says of another try stays.
func amid(words string, err error) error {
	if e, ok := errors.AsType[*Error](err); ok {
		return &Error{Err: fmt.Errorf("%s: %w", words, e.Err), Permanent: e.Permanent, After: e.After}
	}
	return fmt.Errorf("%s: %w", words, err)
}
