package tabletui

import (
	"net/http"
	"slices"
	"strings"

	"levee/clientlib"
	"levee/syncproto/hlc"
	recordv1 "levee/syncproto/levee/record/v1"
)

// settingsBody is what the page of the settings shows.
type settingsBody struct {
	// Choices are what is set by one touch.
	Choices []settingChoice
	// Sites are where she may work now, the first one her own site.
	Sites []choice
	// PIN are what is wrong with the PINs that were entered.
	PIN pinErrors
	// About tells whose tablet this is.
	About []field
}

// settingChoice is one setting with its values.
type settingChoice struct {
	Name, Label string
	Options     []choice
}

// pinErrors are what is wrong, at the fields.
type pinErrors struct{ Old, New, Again string }

// settingValues are the settings that one touch sets, with the messages for them and for their values. Languages go by their own names.
var settingValues = []settingChoice{
	{"language", "setting_language", []choice{{Value: "zh", Label: "中文"}, {Value: "en", Label: "English"}}},
	{"text", "setting_text", []choice{{Label: "set_normal"}, {Value: "large", Label: "set_large"}, {Value: "larger", Label: "set_larger"}}},
	{"contrast", "setting_contrast", []choice{{Label: "set_normal"}, {Value: "high", Label: "set_high"}}},
	{"metered", "setting_metered", []choice{{Value: "no", Label: "set_wait"}, {Value: "yes", Label: "set_sync"}}},
}

func (v *visit) settingsPage() error { return v.showSettings(http.StatusOK, pinErrors{}) }

func (v *visit) showSettings(status int, wrong pinErrors) error {
	body := &settingsBody{PIN: wrong}
	stands := map[string]string{"language": v.Lang(), "text": v.settings.Text, "contrast": v.settings.Contrast, "metered": "no"}
	if v.settings.Metered {
		stands["metered"] = "yes"
	}
	for _, s := range settingValues {
		one := settingChoice{Name: s.Name, Label: v.T(s.Label)}
		for _, o := range s.Options {
			one.Options = append(one.Options, choice{Value: o.Value, Label: v.T(o.Label), Chosen: stands[s.Name] == o.Value})
		}
		body.Choices = append(body.Choices, one)
	}
	st, err := v.store().Status(v.context())
	if err != nil {
		return err
	}
	a, err := v.around()
	if err != nil {
		return err
	}
	body.Sites, body.About = v.sitesFor(a, st), v.about(a, st)
	return v.showAs(status, "settings", &page{Title: v.T("nav_settings"), Back: pathMore, Body: body})
}

// sitesFor are the sites to choose from; none where the deployment has none yet.
func (v *visit) sitesFor(a *around, st clientlib.Status) []choice {
	if len(a.sites) == 0 {
		return nil
	}
	own := v.T("own_site")
	if id, ok := idOf(a.workers[a.me].GetSite()); ok && a.sites[id] != nil {
		own = v.T("own_site_is", a.sites[id].GetName())
	}
	all := []choice{{Label: own, Chosen: st.Site == hlc.ID{}}}
	for id, s := range a.sites {
		all = append(all, choice{Value: id.String(), Label: s.GetName(), Chosen: st.Site == id})
	}
	slices.SortStableFunc(all[1:], func(x, y choice) int { return strings.Compare(x.Label, y.Label) })
	return all
}

// about tells whose tablet this is.
func (v *visit) about(a *around, st clientlib.Status) []field {
	me := a.workers[a.me]
	var all []field
	add := func(name, value string) {
		if value != "" {
			all = append(all, field{v.T(name), value})
		}
	}
	add("about_you", me.GetName())
	if role := me.GetRole(); role != recordv1.Role_ROLE_UNKNOWN {
		add("about_role", capital(a.terms.OptionOf(role.Descriptor(), role.Number()).Label))
	}
	if id, ok := idOf(me.GetTeam()); ok && a.teams[id] != nil {
		add("about_team", a.teams[id].GetName())
	}
	add("about_deployment", a.deployment.GetName())
	add("about_name", v.desk.profile())
	add("about_tablet", v.Options.Name)
	add("about_server", st.ServerURL)
	add("about_program", v.Options.App)
	return all
}

// set takes one setting or more. It takes effect with the next page, which is this one.
func (v *visit) set() error {
	sent := v.sent()
	if site, asked := sent["site"]; asked {
		id := hlc.ID{}
		if site[0] != "" {
			var err error
			if id, err = parseID(site[0]); err != nil {
				return err
			}
		}
		if err := v.store().SetSite(v.context(), id); err != nil {
			return err
		}
	}
	err := v.desk.set(func(s *settings) {
		for _, one := range settingValues {
			for _, o := range one.Options {
				if value, asked := sent[one.Name]; asked && value[0] == o.Value {
					s.take(one.Name, o.Value)
				}
			}
		}
	})
	if err != nil {
		return err
	}
	return v.done(pathSettings, "set")
}

func (s *settings) take(name, value string) {
	switch name {
	case "language":
		s.Language = value
	case "text":
		s.Text = value
	case "contrast":
		s.Contrast = value
	case "metered":
		s.Metered = value == "yes"
	}
}

// setPIN puts a new PIN in the place of the old one.
func (v *visit) setPIN() error {
	old, next := v.r.PostFormValue("old"), v.r.PostFormValue("pin")
	again := func(wrong pinErrors) error { return v.showSettings(http.StatusUnprocessableEntity, wrong) }
	if next != v.r.PostFormValue("again") {
		return again(pinErrors{Again: v.T("pins_differ")})
	}
	err := v.store().ChangeKey(v.context(), clientlib.PIN(old), clientlib.PIN(next))
	switch clientlib.Code(err) {
	case clientlib.CodeKeyWrong, clientlib.CodeKeyWait, clientlib.CodeKeyNeeded:
		return again(pinErrors{Old: clientlib.Message(err, v.Lang())})
	case clientlib.CodeKeyWeak:
		return again(pinErrors{New: clientlib.Message(err, v.Lang())})
	case "":
		return v.done(pathSettings, "pin")
	default:
		return err
	}
}
