package alerting

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	recordv1 "levee/syncproto/levee/record/v1"
)

// SMSGateway is a program that sends SMS, as it is reached over HTTP.
type SMSGateway struct {
	// URL is where {"to": …, "text": …} is posted. https alone, but on this machine.
	URL string
	// Token is sent along as a bearer token; none when empty.
	Token string
}

// maxAnswer is how much of a gateway's answer is read: enough to use its connection again.
const maxAnswer = 16 << 10

// texter sends SMS.
type texter struct {
	gateway SMSGateway
	client  *http.Client
}

// NewTexter sends by a gateway. It connects when there is something to send.
func NewTexter(c SMSGateway) (Sender, error) {
	u, err := url.Parse(c.URL)
	switch {
	case err != nil || u.Hostname() == "" || u.User != nil || u.Fragment != "":
		return nil, errors.New("the SMS gateway needs an address such as https://sms.example.org/send")
	case u.Scheme != "https" && (u.Scheme != "http" || !isLoopback(u.Hostname())):
		return nil, errors.New("the SMS gateway is not reached by https")
	}
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.MaxResponseHeaderBytes, transport.IdleConnTimeout = maxAnswer, time.Minute
	return &texter{gateway: c, client: &http.Client{Transport: transport, Timeout: sendTime,
		// Where the operator says, and nowhere else: whoever is led away would get the number and the token.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}}, nil
}

// Address implements Sender.
func (*texter) Address(w *recordv1.Worker) string { return strings.TrimSpace(w.GetPhone()) }

// Send implements Sender.
func (t *texter) Send(ctx context.Context, to string, m Message) error {
	body, err := json.Marshal(struct {
		To   string `json:"to"`
		Text string `json:"text"`
	}{to, m.Short})
	if err != nil {
		return err
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, t.gateway.URL, bytes.NewReader(body))
	if err != nil {
		return err
	}
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("Idempotency-Key", m.ID)
	if t.gateway.Token != "" {
		request.Header.Set("Authorization", "Bearer "+t.gateway.Token)
	}
	answer, err := t.client.Do(request)
	if err != nil {
		var about *url.Error
		if errors.As(err, &about) { // the address may hold a secret
			err = about.Err
		}
		return fmt.Errorf("reaching the SMS gateway: %w", err)
	}
	defer func() { _ = answer.Body.Close() }()
	_, _ = io.CopyN(io.Discard, answer.Body, maxAnswer)
	if answer.StatusCode/100 != 2 {
		return fmt.Errorf("the SMS gateway answered %d", answer.StatusCode)
	}
	return nil
}
