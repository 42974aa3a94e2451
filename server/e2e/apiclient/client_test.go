package apiclient_test

import (
	"context"
	"net/http"
	"testing"

	"github.com/google/uuid"

	"levee/server/demo"
	"levee/server/e2e/apiclient"
)

// TestAGeneratedClientReadsTheTotals: what oapi-codegen made of the document reads, from a real server, the totals of the replay.
func TestAGeneratedClientReadsTheTotals(t *testing.T) {
	if testing.Short() {
		t.Skip("it replays 75 days")
	}
	d, err := demo.Start(t.Context(), demo.Options{Network: "good"})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := d.Close(); err != nil {
			t.Error(err)
		}
	}()
	want, err := d.Replay(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	url, token := d.URL()
	client, err := apiclient.NewClientWithResponses(url, apiclient.WithRequestEditorFn(func(_ context.Context, r *http.Request) error {
		r.Header.Set("Authorization", "Bearer "+token)
		return nil
	}))
	if err != nil {
		t.Fatal(err)
	}
	whole := totals(t, client, apiclient.GetTotalsParams{})
	if len(whole.Rows) != 1 || whole.Rows[0].Reported == nil {
		t.Fatalf("the whole is %+v", whole.Rows)
	}
	got := *whole.Rows[0].Reported
	published := demo.Published{ServiceDays: whole.ServiceDays, Cases: got["cases"], GroupSessions: got["group_sessions"], CommunityActivities: got["community_activities"], Beneficiaries: got["beneficiaries"]}
	if published != want.Published || got["contacts"] != want.Contacts {
		t.Errorf("the client reads %+v and %d contacts, the replay gave %+v and %d", published, got["contacts"], want.Published, want.Contacts)
	}
	by, only := apiclient.GetTotalsParamsBySite, []apiclient.GetTotalsParamsFigure{apiclient.GetTotalsParamsFigureCases, apiclient.GetTotalsParamsFigureContacts}
	sum, sites := int64(0), totals(t, client, apiclient.GetTotalsParams{By: &by, Figure: &only})
	for _, row := range sites.Rows {
		sum += (*row.Reported)["cases"]
	}
	if sum != got["cases"] || len(sites.Figures) != len(only) {
		t.Errorf("the sites have %d cases of %d, and figures %+v", sum, got["cases"], sites.Figures)
	}

	deployment := uuid.MustParse("00000000-0000-0000-0000-000000000001") // there is none of this id
	refused := apiclient.GetTotalsParams{Deployment: &deployment}
	answer, err := client.GetTotalsWithResponse(t.Context(), &refused)
	if err != nil || answer.ApplicationproblemJSON404 == nil || answer.ApplicationproblemJSON404.Code != "not_found" {
		t.Errorf("the totals of no deployment: %v, %+v", err, answer)
	}
}

func totals(t *testing.T, client *apiclient.ClientWithResponses, asked apiclient.GetTotalsParams) *apiclient.TotalsBody {
	t.Helper()
	answer, err := client.GetTotalsWithResponse(t.Context(), &asked)
	if err != nil {
		t.Fatal(err)
	}
	if answer.JSON200 == nil {
		t.Fatalf("%s: %s", answer.Status(), answer.Body)
	}
	return answer.JSON200
}
