package main

import "strings"

// languageOf is the language that the arguments ask for, else that of the locale. It is needed before the arguments
// are parsed: what is wrong with them must be said in it.
func languageOf(args []string, env func(string) string) string {
	if asked := languageAsked(args); asked != "" {
		return asked
	}
	for _, name := range []string{"LC_ALL", "LC_MESSAGES", "LANG"} {
		if locale := env(name); locale != "" {
			if strings.HasPrefix(strings.ToLower(locale), "zh") {
				return "zh"
			}
			break
		}
	}
	return "en"
}

// languageAsked is the language that the arguments ask for; empty when they ask for none.
func languageAsked(args []string) string {
	asked := ""
	for i, arg := range args {
		if arg == "--" {
			break
		}
		if value, ok := strings.CutPrefix(arg, "--lang="); ok {
			asked = value
		}
		if arg == "--lang" && i+1 < len(args) {
			asked = args[i+1]
		}
	}
	return asked
}
