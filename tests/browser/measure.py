"""What a person would find ugly or could not read, as a browser measures it: scripts that Chromium runs in a page."""

COLLISIONS = """(() => {
  const found = [], shown = [...document.querySelectorAll('svg text')].filter(one => one.textContent.trim());
  const boxes = shown.map(one => one.getBoundingClientRect());
  const svg = document.querySelector('svg').getBoundingClientRect();
  boxes.forEach((box, index) => {
    if (box.right > svg.right + 1 || box.left < svg.left - 1 || box.bottom > svg.bottom + 1 || box.top < svg.top - 1)
      found.push('out of the picture: ' + shown[index].textContent);
    for (let other = index + 1; other < boxes.length; other++) {
      const wide = Math.min(box.right, boxes[other].right) - Math.max(box.left, boxes[other].left);
      const high = Math.min(box.bottom, boxes[other].bottom) - Math.max(box.top, boxes[other].top);
      if (wide > 2 && high > 3) found.push(shown[index].textContent + ' is over ' + shown[other].textContent);
    }
  });
  return found;
})()"""

OUT_OF_BOXES = """(() => [...document.querySelectorAll('svg g')].flatMap(group => {
  const node = group.querySelector('rect.node');
  if (!node) return [];
  const box = node.getBoundingClientRect();
  return [...group.querySelectorAll('text')].filter(text => {
    const own = text.getBoundingClientRect();
    return own.right > box.right || own.left < box.left || own.bottom > box.bottom || own.top < box.top;
  }).map(text => text.textContent);
}))()"""

THROUGH_RAILS = """(() => {
  const rails = [...document.querySelectorAll('svg path.rail')].map(one => one.getBoundingClientRect())
    .filter(box => box.height > box.width);
  return [...document.querySelectorAll('svg text')].filter(text => {
    const own = text.getBoundingClientRect();
    return rails.some(rail => own.left < rail.left && own.right > rail.right
      && own.top < rail.bottom && own.bottom > rail.top);
  }).map(text => text.textContent);
})()"""

SIDEWAYS = "document.documentElement.scrollWidth - window.innerWidth"

PALE = """(() => {
  const parse = text => {
    const part = (text.match(/[\\d.]+/g) || []).map(Number);
    return part.length && !(part.length === 4 && part[3] === 0) ? part.slice(0, 3) : null;
  };
  const light = colour => {
    const [r, g, b] = colour.map(one => one / 255).map(one =>
      one <= 0.04045 ? one / 12.92 : ((one + 0.055) / 1.055) ** 2.4);
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const behind = (element, box) => {
    if (element.closest('svg')) {
      const rects = [...element.closest('svg').querySelectorAll('rect')].filter(rect => {
        const own = rect.getBoundingClientRect();
        return own.left <= box.left + 1 && own.right >= box.right - 1 && own.top <= box.top + 1
          && own.bottom >= box.bottom - 1;
      });
      if (rects.length) return parse(getComputedStyle(rects.at(-1)).fill);
    }
    for (let one = element; one; one = one.parentElement) {
      const colour = parse(getComputedStyle(one).backgroundColor);
      if (colour) return colour;
    }
    return [255, 255, 255];
  };
  const found = [];
  for (const element of document.querySelectorAll('body *, svg text')) {
    const own = [...element.childNodes].some(one => one.nodeType === 3 && one.textContent.trim());
    if (!own || element.closest('.hidden, title, desc, style')) continue;
    const style = getComputedStyle(element);
    const ink = parse(element.closest('svg') ? style.fill : style.color);
    const [one, other] = [light(ink), light(behind(element, element.getBoundingClientRect()))];
    const ratio = (Math.max(one, other) + 0.05) / (Math.min(one, other) + 0.05);
    if (ratio < 4.5) found.push(ratio.toFixed(1) + ' ' + element.textContent.slice(0, 40));
  }
  return found;
})()"""
