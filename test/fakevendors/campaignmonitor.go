package fakevendors

import (
	"net/http"
	"strings"
	"testing"
)

// CampaignMonitor is a stand-in for Campaign Monitor's API: one list.
type CampaignMonitor struct {
	vendor
	key, list string
}

// NewCampaignMonitor starts one that wants the key and has one list.
func NewCampaignMonitor(tb testing.TB, key, list string) *CampaignMonitor {
	c := &CampaignMonitor{key: key, list: list}
	c.serve(tb, c.handle)
	return c
}

func (c *CampaignMonitor) handle(w http.ResponseWriter, r *http.Request) {
	refuse := func(status, code int, message string) { answer(w, status, object{"Code": code, "Message": message}) }
	user, _, _ := r.BasicAuth()
	body := decoded(r)
	email, _ := body["EmailAddress"].(string)
	switch {
	case user != c.key:
		refuse(http.StatusUnauthorized, 100, "Invalid API Key")
	case r.URL.Path != "/api/v3.3/subscribers/"+c.list+".json":
		refuse(http.StatusBadRequest, 101, "Invalid ListID")
	case !strings.Contains(email, "@"):
		refuse(http.StatusBadRequest, 1, "Invalid Email Address")
	case body["ConsentToTrack"] == nil:
		refuse(http.StatusBadRequest, 400, "Failed to deserialize your request")
	default:
		c.records = append(c.records, &Record{Kind: "subscriber", ID: email, Fields: body})
		answer(w, http.StatusCreated, email)
	}
}
