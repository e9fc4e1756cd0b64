// Zoom, search and full width for a flame graph that is complete without them.
// Frames are in preorder: a frame's ancestors come before it, its descendants
// right after it. data-s and data-v are where it starts and how much it covers.
'use strict';
(() => {
	const CHARACTER = 7.26, PADDING = 3, MIN_CHARACTERS = 4;	// as in svg.c
	const THIN_WIDTH = 3, MIN_WIDTH = 0.1, MARGIN = 10, FOOTER = 26;
	const SVG = 'http://www.w3.org/2000/svg', HTML = 'http://www.w3.org/1999/xhtml';
	const root = document.documentElement;
	const byId = id => document.getElementById(id);
	const container = byId('frames');
	const frames = Array.from(container.children, g => ({
		g, rect: g.querySelector('rect'), text: g.querySelector('text'),
		start: +g.dataset.s, total: +g.dataset.v, name: null,
	}));
	const all = frames[0];
	let view = 0, box = null;

	const end = frame => frame.start + frame.total;
	const share = value => (100 * value / (all.total || 1)).toFixed(2) + ' %';
	const title = frame => frame.g.querySelector('title').textContent;
	const name = frame => frame.name ??= title(frame).split('\n')[0];

	function label(frame, x, pixels) {
		const room = Math.floor((pixels - 2 * PADDING) / CHARACTER);

		if (room < MIN_CHARACTERS) {
			if (frame.text)
				frame.text.textContent = '';
			return;
		}
		if (!frame.text) {
			frame.text = document.createElementNS(SVG, 'text');
			frame.text.setAttribute('dx', PADDING);
			frame.text.setAttribute('y', +frame.rect.getAttribute('y') + 13);
			frame.g.append(frame.text);
		}
		const letters = Array.from(name(frame));
		frame.text.setAttribute('x', x + '%');
		frame.text.textContent = letters.length <= room ? name(frame) :
			letters.slice(0, room - 1).join('') + '\u2026';
	}

	function place(frame, index, target, pixels) {
		const above = index < view && frame.start <= target.start && end(frame) >= end(target);
		const inside = index >= view && frame.start >= target.start && end(frame) <= end(target);
		const x = above ? 0 : 100 * (frame.start - target.start) / (target.total || 1);
		const width = above ? 100 : 100 * frame.total / (target.total || 1);
		const seen = above || inside && width * pixels / 100 >= MIN_WIDTH;

		frame.g.classList.toggle('gone', !seen);
		frame.g.classList.toggle('above', above);
		if (!seen)
			return;
		frame.rect.setAttribute('x', x + '%');
		frame.rect.setAttribute('width', width + '%');
		frame.rect.classList.toggle('thin', width * pixels / 100 < THIN_WIDTH);
		label(frame, x, width * pixels / 100);
	}

	function layout() {
		const pixels = Math.max(200, innerWidth - 2 * MARGIN);

		container.setAttribute('width', pixels);
		frames.forEach((frame, index) => place(frame, index, frames[view], pixels));
		byId('reset').classList.toggle('gone', view === 0);
	}

	function zoom(index) {
		view = index;
		layout();
	}

	// A regular expression, or plain text if it is none; capitals only count if there are any.
	function pattern(text) {
		const flags = text === text.toLowerCase() ? 'i' : '';

		try {
			return new RegExp(text, flags);
		} catch {
			return new RegExp(text.replace(/[^\w\s]/g, '\\$&'), flags);
		}
	}

	// A match below a match is part of it, and not counted again.
	function search(text) {
		const wanted = text ? pattern(text) : null;
		let matched = 0, covered = 0;

		for (const frame of frames) {
			const hit = wanted !== null && frame !== all && wanted.test(name(frame));

			frame.g.classList.toggle('match', hit);
			if (hit && frame.start >= covered) {
				matched += frame.total;
				covered = end(frame);
			}
		}
		root.classList.toggle('searching', wanted !== null);
		byId('matched').textContent = wanted ? 'matched ' + share(matched) : '';
	}

	function closeSearch(keep) {
		if (!keep)
			search('');
		box?.remove();
		box = null;
	}

	function openSearch() {
		const input = document.createElementNS(HTML, 'input');

		closeSearch(true);
		box = document.createElementNS(SVG, 'foreignObject');
		for (const [key, value] of Object.entries({ x: MARGIN, width: 320, height: FOOTER,
			y: root.getAttribute('height') - FOOTER }))
			box.setAttribute(key, value);
		input.placeholder = 'regular expression; Enter keeps, Esc ends';
		input.style.cssText = 'width: 310px; font: 12px monospace';
		input.addEventListener('input', () => search(input.value));
		box.append(input);
		root.append(box);
		input.focus();
	}

	function onKey(event) {
		if ((event.ctrlKey || event.metaKey) && event.key === 'f') {
			event.preventDefault();
			openSearch();
		} else if (event.key === 'Escape') {
			closeSearch(false);
			zoom(0);
		} else if (event.key === 'Enter' && box) {
			closeSearch(true);
		}
	}

	const frameOf = event => frames.findIndex(frame => frame.g === event.target.closest('g'));

	container.addEventListener('click', event => zoom(Math.max(0, frameOf(event))));
	container.addEventListener('mouseover', event => {
		const g = event.target.closest('#frames > g');

		byId('details').textContent = g ? g.querySelector('title').textContent.replace('\n', ': ') : '';
	});
	container.addEventListener('mouseleave', () => { byId('details').textContent = ''; });
	byId('search').addEventListener('click', openSearch);
	byId('reset').addEventListener('click', () => zoom(0));
	addEventListener('keydown', onKey);
	addEventListener('resize', layout);
	root.removeAttribute('viewBox');
	root.setAttribute('width', '100%');
	root.classList.add('live');
	layout();
	if (!root.classList.contains('icicle'))
		scrollTo(0, root.scrollHeight);
})();
