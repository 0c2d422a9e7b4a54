package email_test

import (
	"context"
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"hookgate/connectors"
	"hookgate/test/connectortest"
	"hookgate/test/fakesmtp"
)

// brokenFiles break off while they are read.
type brokenFiles struct{}

// Open implements connectors.Files.
func (brokenFiles) Open(context.Context, string) (io.ReadCloser, connectors.FileInfo, error) {
	content := io.MultiReader(strings.NewReader(strings.Repeat("x", 10_000)), errorReader{})
	return io.NopCloser(content), connectors.FileInfo{Size: 20_000}, nil
}

type errorReader struct{}

func (errorReader) Read([]byte) (int, error) { return 0, errors.New("input/output error") }

func TestEmail_attachments(t *testing.T) {
	t.Parallel()
	s := mustMailServer(t, fakesmtp.Options{})
	deps := connectortest.Deps(t)
	big := strings.Repeat("0123456789abcde\n", 1<<16)
	deps.Files = connectortest.MemoryFiles{"f1": big, "f2": "two"}
	c := mustMail(t, mailSettings(t, s, ""), deps)
	output := `{"recipient":"a@x.example","text":"see attached","attachments":[
		{"id":"f1","name":"../../etc/Angebot \"für\" Ada\r\nX: y.pdf","type":"application/pdf","size":1},null,
		[{"id":"f2","name":"two.txt","type":"text/plain\r\nX-Evil: 1"}],""]}`
	if _, err := c.Deliver(t.Context(), connectortest.Delivery(output)); err != nil {
		t.Fatal(err)
	}
	m := mustDecode(t, s.Messages()[0].Raw)
	want := []string{"text/plain||see attached", "application/pdf|Angebot _für_ Ada__X_ y.pdf|" + big, "application/octet-stream|two.txt|two"}
	if diff := cmp.Diff(want, m.Parts); diff != "" {
		t.Errorf("%.2000s", diff)
	}

	deps.Files = connectortest.MemoryFiles{"f1": strings.Repeat("x", 19<<20)}
	_, err := mustMail(t, mailSettings(t, s, ""), deps).Deliver(t.Context(), connectortest.Delivery(output))
	if connectortest.Outcome(err) != "permanent" || err.Error() != "the attachments have more than 18 MB together" {
		t.Errorf("got %v", err)
	}
	// Nothing arrives of a message whose attachment broke off.
	deps.Files = brokenFiles{}
	_, err = mustMail(t, mailSettings(t, s, ""), deps).Deliver(t.Context(), connectortest.Delivery(output))
	if connectortest.Outcome(err) != "transient" || err.Error() != `the attachment "Angebot _für_ Ada__X_ y.pdf": input/output error` {
		t.Errorf("got %v", err)
	}
	if n := len(s.Messages()); n != 1 {
		t.Errorf("%d messages arrived", n)
	}
}
