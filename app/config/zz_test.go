package config_test
import ("testing";"time";"hookgate/app/config";"strings";"fmt")
func TestZZ(t *testing.T){
 bomb:="a: &a [x,x,x,x,x,x,x,x,x]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a]\nc: &c [*b,*b,*b,*b,*b,*b,*b,*b,*b]\nd: &d [*c,*c,*c,*c,*c,*c,*c,*c,*c]\n"
 cases:=map[string]string{
 "list": "version: 1\n"+bomb+"rules: *d\n",
 "leak": "version: 1\n"+strings.ReplaceAll(bomb,"x","\"${A}\"")+"rules: *d\nsources: *d\n",
 "merge": func()string{ s:="version: 1\nm0: &m0 {a: \"${A}\"}\n"; for i:=1;i<60;i++{ s+=fmt.Sprintf("m%d: &m%d {<<: [*m%d], k%d: {<<: *m%d}}\n",i,i,i-1,i,i-1) }; return s+"sources: *m12\n" }(),
 "merge2": func()string{ s:="version: 1\nm0: &m0 {a: \"${A}\"}\n"; for i:=1;i<90;i++{ s+=fmt.Sprintf("m%d: &m%d {<<: *m%d, k%d: 1}\n",i,i,i-1,i) }; return s+"sources: *m89\n" }(),
 "merge3": func()string{ s:="version: 1\nm0: &m0 {a: \"${A}\"}\n"; for i:=1;i<15;i++{ s+=fmt.Sprintf("m%d: &m%d {<<: [*m%d,*m%d], k%d: 1}\n",i,i,i-1,i-1,i) }; return s+"sources: *m14\n" }(),
 "deep": "version: 1\nsources: "+strings.Repeat("[",5000)+strings.Repeat("]",5000),
 "deep map": "version: 1\nsources: "+strings.Repeat("{a: ",5000)+strings.Repeat("}",5000),
 "many": "version: 1\nsources:\n"+strings.Repeat(" x: 1\n",20000),
 "long": "version: 1\nserver: { listen: \""+strings.Repeat("${A} ",20000)+"\" }\n",
 "long miss": "version: 1\nserver: { listen: \""+strings.Repeat("${N} ",5000)+"\" }\n",
 }
 for n,c:=range cases{ s:=time.Now(); _,r:=config.Parse("c",[]byte(c),lookup(map[string]string{"A":"xxxxxxxxxxxxxxx"})); d:=time.Since(s); s=time.Now(); var b strings.Builder; r.Render(&b,false); t.Log(n,len(c),d,time.Since(s),len(r.List), r.List[0].Message) }
}
