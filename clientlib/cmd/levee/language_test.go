package main

import (
	"slices"
	"testing"

	"levee/syncproto/words"
)

func TestLanguageOf(t *testing.T) {
	for _, tt := range []struct {
		name string
		args []string
		env  map[string]string
		want string
	}{
		{"nothing said", nil, nil, "en"},
		{"LANG", nil, map[string]string{"LANG": "zh_CN.UTF-8"}, "zh"},
		{"LC_MESSAGES comes before LANG", nil, map[string]string{"LANG": "zh_CN.UTF-8", "LC_MESSAGES": "en_GB"}, "en"},
		{"LC_ALL comes first", nil, map[string]string{"LC_ALL": "ZH", "LC_MESSAGES": "en_GB", "LANG": "C"}, "zh"},
		{"another language", nil, map[string]string{"LANG": "de_DE.UTF-8"}, "en"},
		{"the flag comes before all", []string{"status", "--lang", "zh"}, map[string]string{"LC_ALL": "en_GB"}, "zh"},
		{"the flag with =", []string{"--lang=en"}, map[string]string{"LANG": "zh_CN"}, "en"},
		{"the flag twice", []string{"--lang=en", "--lang", "zh"}, nil, "zh"},
		{"the flag without a value", []string{"--lang"}, map[string]string{"LANG": "zh_CN"}, "zh"},
		{"what looks like the flag behind --", []string{"--", "--lang", "zh"}, nil, "en"},
	} {
		if got := words.In(languageOf(tt.args, func(name string) string { return tt.env[name] })).Lang(); got != tt.want {
			t.Errorf("%s: %s, want %s", tt.name, got, tt.want)
		}
	}
}

func TestColumns(t *testing.T) {
	for text, want := range map[string]int{"": 0, "abc": 3, "个案": 4, "“个案”": 6, "é": 1, "18–59": 5} {
		if got := widthOf(text); got != want {
			t.Errorf("%q takes %d columns, want %d", text, got, want)
		}
	}
	for _, tt := range []struct {
		text string
		most int
		want string
	}{
		{"个案服务", 8, "个案服务"},
		{"个案服务", 7, "个案服…"},
		{"first\nsecond", 20, "first…"},
		{"abcdef", 4, "abc…"},
	} {
		if got := shorten(tt.text, tt.most); got != tt.want {
			t.Errorf("%q in %d columns: %q, want %q", tt.text, tt.most, got, tt.want)
		}
	}
	for _, tt := range []struct {
		text string
		most int
		want []string
	}{
		{"one two three", 7, []string{"one two", "three"}},
		{"必填项不全，也保存。", 10, []string{"必填项不", "全，也保", "存。"}},
		{"（女,18-59）", 6, []string{"（女,", "18-59）"}},
		{"", 5, []string{""}},
	} {
		if got := wrap(tt.text, tt.most); !slices.Equal(got, tt.want) {
			t.Errorf("%q in %d columns: %q, want %q", tt.text, tt.most, got, tt.want)
		}
	}
}
