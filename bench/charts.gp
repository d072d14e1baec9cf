# SPDX-License-Identifier: MIT
#
# charts.gp - the charts of a run, from what report.sh has sorted.
#
#	gnuplot -e "dir='bench/report'; kind='svg'; note=''" charts.gp
#
# note goes behind the titles of what was timed.
# kind is svg, or png to look at them with something that knows no SVG.

set encoding utf8
set border 3 lc rgb '#555555'
set tics nomirror out scale 0.5
set grid lc rgb '#dddddd' lt 1
acre = 0x1f77b4
other = 0xb8bec5

name(what) = dir . '/' . what . '.' . kind
data(what) = dir . '/' . what . '.dat'
begin(what, wide, high) = sprintf("set terminal %s size %d,%d %s;" . \
	"set output '%s'", kind eq 'svg' ? 'svg' : 'pngcairo', wide, high, \
	kind eq 'svg' ? "font 'Helvetica,12' background '#ffffff'" : \
	"font 'DejaVu Sans,9'", name(what))

# Bars from `from` to each value, the least at the top.
colour(peer) = peer eq "acre" ? acre : peer eq "limit" ? 0x666666 : other
bars(what, from) = sprintf("plot '%s' using 2:0:(%g):2:($0-0.36):" . \
	"($0+0.36):(colour(strcol(1))):ytic(1) with boxxyerror fs solid 1 " . \
	"noborder lc rgb variable notitle, '' using 2:0:(sprintf(' %%.2f', " . \
	"$2)) with labels left font ',10' notitle", data(what), from)

# ---- x limit, a panel for each workload

eval begin('ratios', 1080, 1130)
set multiplot layout 3,2 title "Time of a request, x the limit" . \
	" (a bare pointer that is moved); logarithmic" . note font ',14'
set logscale x
set yrange [*:*] reverse
set offsets 0, 0, 0.6, 0.6
unset ytics; set ytics scale 0
set lmargin 17
set rmargin 6
panels = 'tiny typical heavy long handoff p99'
titles = '"tiny: 16 objects" "typical: 100 objects, 24 KB" ' . \
	'"heavy: 2,000 objects, 1 MB" "long: 1,000,000 objects" ' . \
	'"hand-off: another thread closes" ' . \
	'"99th percentile of typical, 2 threads"'
has_data(file) = system("test -s '" . file . "' && echo yes") eq 'yes'
do for [i = 1:words(panels)] {
	if (!has_data(data(word(panels, i)))) { continue }
	stats data(word(panels, i)) using 2 nooutput name 'S'
	set xrange [0.8:S_max * 2.2]
	set title word(titles, i) offset 0, -0.6
	eval bars(word(panels, i), 0.8)
}
unset multiplot
unset logscale x

# ---- memory, and two threads against one

eval begin('memory', 640, 460)
set title "1,000 open regions: resident over live bytes"
set xrange [1:*]
set offsets 0, 0.4, 0.6, 0.6
eval bars('memory', 1)

eval begin('threads', 640, 480)
set title "Typical request: throughput of 2 threads against 1" . note
set xrange [0:2.4]
set offsets 0, 0, 0.6, 0.6
eval bars('threads', 0)

# ---- what threads share

set yrange [*:*] noreverse
set lmargin -1
set rmargin -1
set ytics scale 0.5
set logscale x 2
set xtics (1, 4, 16, 64, 256)
set xlabel "threads"
set key top left reverse Left

eval begin('sharing', 720, 440)
set title "Atomic read-modify-writes on shared lines, for each page " . \
	"through the pool"
set xrange [0.8:320]
set yrange [0:0.3]
plot data('sharing-handoff-turn') using 1:2 with linespoints lw 2 pt 7 \
		lc rgb '#1f77b4' title 'hand-off', \
	data('sharing-phase-turn') using 1:2 with linespoints lw 2 pt 5 \
		lc rgb '#2ca02c' title 'all in phase', \
	data('sharing-handoff-step') using 1:2 with linespoints lw 2 dt 2 \
		pt 6 lc rgb '#1f77b4' title 'hand-off, in step', \
	data('sharing-phase-step') using 1:2 with linespoints lw 2 dt 2 \
		pt 4 lc rgb '#2ca02c' title 'all in phase, in step', \
	0.1 lw 1 lc rgb '#d62728' title 'gate (in turn)'

# ---- the model

eval begin('throughput', 1080, 420)
set multiplot layout 1,3 title "Cores' worth of work, modelled: " . \
	"100 ns of work a region, 100 ns for a line to move" font ',14'
set logscale xy 2
set xlabel "cores"
set xrange [0.8:320]
set yrange [0.5:320]
set ytics (1, 4, 16, 64, 256)
set key top left reverse Left samplen 2
do for [w in 'own handoff phase'] {
	set title w eq 'own' ? 'own regions' : \
		w eq 'handoff' ? 'hand-off' : 'all in phase'
	# Where there is room for it.
	if (w eq 'handoff') { set key on } else { set key off }
	plot x with lines dt 3 lc rgb '#888888' title 'as many as cores', \
		data('model-list-' . w) using 1:2 with linespoints lw 2 \
			pt 11 lc rgb '#d62728' title 'one list, no caches', \
		data('model-shards-' . w) using 1:2 with linespoints lw 2 \
			pt 9 lc rgb '#2ca02c' title 'shards, no caches', \
		data('model-caches-' . w) using 1:2 with linespoints lw 5 \
			pt 5 lc rgb '#ff7f0e' title 'caches, one list', \
		data('model-ships-' . w) using 1:2 with linespoints lw 2 \
			pt 7 lc rgb '#1f77b4' title 'what ships'
}
unset multiplot
