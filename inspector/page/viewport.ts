/** Which part of a drawing is seen: fitted at first, then as the person moves and zooms it. */
import type { Drawing } from './drawing.ts';
import { type Box, SCALE_WHOLE_MIN } from './layout.ts';

/** The smallest scale at which a chart that is shown in part, around the current state, is fitted to the pane's width. */
const SCALE_PART_MIN = 0.6;
const SCALE_MAX = 1.15;
const ZOOM_STEP = 1.25;
const PAN_STEP = 60;

export class Viewport {
  readonly #canvas: HTMLElement;
  #drawing: Drawing | undefined;
  /** The middle of what is seen, in the drawing's coordinates. */
  #middle = { x: 0, y: 0 };
  #scale = 1;
  /** `held` once the person moved it: from then on it stays where it is. */
  #mode: 'fitted' | 'whole' | 'held' = 'fitted';
  #focus: Box | undefined;

  constructor(canvas: HTMLElement) {
    this.#canvas = canvas;
    new ResizeObserver(() => this.#place()).observe(canvas);
    canvas.addEventListener('wheel', (event) => this.#wheel(event), { passive: false });
    canvas.addEventListener('pointerdown', (event) => this.#drag(event));
    canvas.addEventListener('keydown', (event) => this.#key(event));
  }

  /** The pane in pixels. */
  get size(): { readonly width: number; readonly height: number } {
    return { width: this.#canvas.clientWidth, height: this.#canvas.clientHeight };
  }

  show(drawing: Drawing): void {
    this.#drawing?.root.remove();
    this.#drawing = drawing;
    this.#focus = undefined;
    this.#canvas.append(drawing.root);
    this.#mode = 'fitted';
    this.#place();
  }

  clear(): void {
    this.#drawing?.root.remove();
    this.#drawing = undefined;
  }

  /** Keeps this box in sight unless the person holds the view. */
  follow(box: Box | undefined): void {
    this.#focus = box;
    if (!box || !this.#sees(box)) this.#place();
  }

  #sees({ x, y, width, height }: Box): boolean {
    const [halfWidth, halfHeight] = [this.size.width / this.#scale / 2, this.size.height / this.#scale / 2];
    return (
      x > this.#middle.x - halfWidth &&
      x + width < this.#middle.x + halfWidth &&
      y > this.#middle.y - halfHeight &&
      y + height < this.#middle.y + halfHeight
    );
  }

  /** Back to the fitted view; from there, a chart that is shown in part is shown whole. */
  fit(): void {
    this.#mode = this.#mode === 'fitted' ? 'whole' : 'fitted';
    this.#place();
  }

  #place(): void {
    const drawing = this.#drawing;
    if (!drawing) return;
    if (this.#mode === 'held') return this.#apply();
    const { width, height } = this.size;
    const whole = Math.min(SCALE_MAX, width / drawing.width, height / drawing.height);
    const wide = Math.max(SCALE_PART_MIN, Math.min(1, width / drawing.width));
    this.#scale = this.#mode === 'whole' || whole >= SCALE_WHOLE_MIN ? whole : wide;
    const focus = this.#focus ?? { x: 0, y: 0, width: drawing.width, height: 0 };
    this.#middle = {
      x: middleOf(focus.x + focus.width / 2, width / this.#scale, drawing.width),
      y: middleOf(focus.y + focus.height / 2, height / this.#scale, drawing.height),
    };
    this.#apply();
  }

  zoom(factor: number, at: { readonly x: number; readonly y: number } = { x: 0.5, y: 0.5 }): void {
    const { width, height } = this.size;
    const scale = Math.min(4, Math.max(0.15, this.#scale * factor));
    // The point under the pointer stays under the pointer.
    this.#middle.x += (at.x - 0.5) * width * (1 / this.#scale - 1 / scale);
    this.#middle.y += (at.y - 0.5) * height * (1 / this.#scale - 1 / scale);
    this.#scale = scale;
    this.#mode = 'held';
    this.#apply();
  }

  zoomIn(): void {
    this.zoom(ZOOM_STEP);
  }

  zoomOut(): void {
    this.zoom(1 / ZOOM_STEP);
  }

  #pan(dx: number, dy: number): void {
    this.#middle.x += dx / this.#scale;
    this.#middle.y += dy / this.#scale;
    this.#mode = 'held';
    this.#apply();
  }

  #apply(): void {
    const width = this.#canvas.clientWidth / this.#scale;
    const height = this.#canvas.clientHeight / this.#scale;
    const box = `${this.#middle.x - width / 2} ${this.#middle.y - height / 2} ${width} ${height}`;
    if (width > 0 && height > 0) this.#drawing?.root.setAttribute('viewBox', box);
  }

  #wheel(event: WheelEvent): void {
    event.preventDefault();
    if (!event.ctrlKey && !event.metaKey) return this.#pan(event.deltaX, event.deltaY);
    const bounds = this.#canvas.getBoundingClientRect();
    const at = { x: (event.clientX - bounds.x) / bounds.width, y: (event.clientY - bounds.y) / bounds.height };
    this.zoom(Math.exp(-event.deltaY / 300), at);
  }

  #drag(down: PointerEvent): void {
    if (down.button !== 0) return;
    this.#canvas.setPointerCapture(down.pointerId);
    let { clientX: x, clientY: y } = down;
    const move = (event: PointerEvent) => {
      this.#pan(x - event.clientX, y - event.clientY);
      ({ clientX: x, clientY: y } = event);
    };
    this.#canvas.addEventListener('pointermove', move);
    this.#canvas.addEventListener('lostpointercapture', () => this.#canvas.removeEventListener('pointermove', move), {
      once: true,
    });
  }

  #key(event: KeyboardEvent): void {
    const pans: Record<string, readonly [number, number]> = {
      ArrowLeft: [-PAN_STEP, 0],
      ArrowRight: [PAN_STEP, 0],
      ArrowUp: [0, -PAN_STEP],
      ArrowDown: [0, PAN_STEP],
    };
    const pan = pans[event.key];
    if (!pan) return;
    event.preventDefault();
    this.#pan(...pan);
  }
}

/** As near to `wanted` as keeps the pane filled; the middle when the whole fits. */
function middleOf(wanted: number, seen: number, whole: number): number {
  return seen >= whole ? whole / 2 : Math.min(whole - seen / 2, Math.max(seen / 2, wanted));
}
