package client_test

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"testing"

	"hookgate/app/admin"
	"hookgate/app/web/api/client"
	"hookgate/internal/event"
)

// An export that cannot be read to its end breaks off: who reads it is told, also after a
// part of it came. Break: have Read of the file end with io.EOF whatever the error is.
func TestExportEvents_breaksOff(t *testing.T) {
	t.Parallel()
	f := &fake{err: errors.New("the disk is gone")}
	for n := range event.ID(600) {
		f.events = append(f.events, event.Event{ID: firstEvent - n, Source: "sitejet", ReceivedAt: received, State: event.NoMatch, Body: []byte(`{}`)})
	}
	c, _ := serve(t, f)
	content, err := c.ExportEvents(t.Context(), admin.EventExport{Format: admin.EventsNDJSON})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = content.Close() }()
	text, err := io.ReadAll(content)
	if lines := bytes.Count(text, []byte("\n")); !errors.Is(err, io.ErrUnexpectedEOF) || lines < 500 || lines == 600 {
		t.Errorf("%d lines, %v, want an end that was not expected after a part of them", lines, err)
	}

	f.mu.Lock()
	f.events = nil
	f.mu.Unlock()
	_, err = c.ExportEvents(t.Context(), admin.EventExport{Format: admin.EventsCSV})
	if p, ok := errors.AsType[*client.Problem](err); !ok || p.Status != http.StatusInternalServerError {
		t.Errorf("before the first byte: got %v, want a problem", err)
	}
}

// So many exports are made at once, and no more until one of them is closed.
func TestExportEvents_busy(t *testing.T) {
	t.Parallel()
	f := sample()
	s := f.service()
	x := admin.EventExport{Format: admin.EventsCSV}
	var open []io.Closer
	for {
		_, content, err := s.ExportEvents(t.Context(), x)
		if _, busy := errors.AsType[*admin.BusyError](err); busy {
			break
		}
		if err != nil || len(open) > 100 {
			t.Fatal(len(open), err)
		}
		open = append(open, content)
	}
	for _, one := range append(open, open...) { // a second Close does nothing
		if err := one.Close(); err != nil {
			t.Error(err)
		}
	}
	for range open {
		_, content, err := s.ExportEvents(t.Context(), x)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = content.Close() }()
	}
	if _, _, err := s.ExportEvents(t.Context(), x); err == nil {
		t.Error("one more than before is made at once")
	}
}

// One that is being made ends when the server does, and no other is begun.
func TestExportEvents_ends(t *testing.T) {
	t.Parallel()
	f := sample()
	for n := range event.ID(600) {
		f.events = append(f.events, event.Event{ID: firstEvent - 10 - n, Source: "sitejet", ReceivedAt: received, State: event.NoMatch, Body: []byte(`{}`)})
	}
	s := f.service()
	x := admin.EventExport{Format: admin.EventsCSV}
	_, content, err := s.ExportEvents(t.Context(), x)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = content.Close() }()
	s.EndExports()
	if text, err := io.ReadAll(content); err == nil || bytes.Count(text, []byte("\n")) < 500 {
		t.Errorf("the one that is being made: %v after %d bytes", err, len(text))
	}
	if _, _, err := s.ExportEvents(t.Context(), x); err == nil {
		t.Error("another is begun")
	}
}
