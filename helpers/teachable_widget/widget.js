// The page of the teachable machine: it shows what the kernel says, and sends what the learner does.

const FRAME = 320; // pixels: a side of a picture that the camera takes
const LARGEST = 8_000_000; // bytes in one message; Jupyter closes the connection at 10 MiB
const CAMERA_PROBLEMS = {
  NotFoundError: "No camera was found. Upload pictures instead.",
  NotAllowedError: "The browser may not use the camera. Allow it beside the page's address, or upload pictures.",
  NotReadableError: "The camera does not answer; another program may be using it. Close that, or upload pictures.",
};
const NO_CAMERA_HERE = "The browser gives the camera only to pages of this computer or with https. Upload pictures instead.";

function make(tag, options = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(options)) {
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (name in element && typeof value !== "string") element[name] = value;
    else element.setAttribute(name, value);
  }
  element.append(...children);
  return element;
}

// A file as it is; one that is too large for a message, smaller.
async function contentOf(file) {
  if (file.size <= LARGEST) return file.arrayBuffer();
  const bitmap = await createImageBitmap(file);
  const scale = Math.min(1, 1600 / Math.max(bitmap.width, bitmap.height));
  const canvas = make("canvas", { width: Math.round(bitmap.width * scale), height: Math.round(bitmap.height * scale) });
  canvas.getContext("2d").drawImage(bitmap, 0, 0, canvas.width, canvas.height);
  return asJpeg(canvas);
}

async function asJpeg(canvas) {
  const blob = await new Promise((done) => canvas.toBlob(done, "image/jpeg", 0.92));
  return blob.arrayBuffer();
}

// The middle of what the camera sees, as a square.
function photograph(video) {
  const side = Math.min(video.videoWidth, video.videoHeight);
  const canvas = make("canvas", { width: FRAME, height: FRAME });
  const corner = [(video.videoWidth - side) / 2, (video.videoHeight - side) / 2];
  canvas.getContext("2d").drawImage(video, ...corner, side, side, 0, 0, FRAME, FRAME);
  return asJpeg(canvas);
}

function render({ model, el }) {
  const classes = new Map(); // by name: its elements
  let stream = null;
  let live = false;

  const send = (what, fields = {}, buffers = []) => model.send({ do: what, ...fields }, undefined, buffers);

  // --- the lines that say what happens ------------------------------------------------------------------------
  const status = make("p", { class: "tm-status", role: "status" });
  const alert = make("p", { class: "tm-problem", role: "alert" });
  const say = (text, problem = false) => {
    status.textContent = problem ? "" : text;
    alert.textContent = problem ? text : "";
  };
  const bar = make("progress", { max: "1", "aria-label": "Training", hidden: true });

  // --- the camera -----------------------------------------------------------------------------------------------
  const video = make("video", { muted: true, autoplay: true, playsInline: true, hidden: true, "aria-label": "What the camera sees" });
  const cameraButton = make("button", { type: "button", "aria-pressed": "false", onclick: toggleCamera }, "Turn the camera on");

  async function toggleCamera() {
    if (stream) return stopCamera();
    try {
      if (!navigator.mediaDevices) throw new Error(NO_CAMERA_HERE);
      stream = await navigator.mediaDevices.getUserMedia({ video: true });
      video.srcObject = stream;
      await video.play();
    } catch (error) {
      stopCamera();
      say(CAMERA_PROBLEMS[error.name] ?? error.message, true);
    }
    showCamera();
  }

  function stopCamera() {
    for (const track of stream?.getTracks() ?? []) track.stop();
    stream = null;
    live = false;
    video.srcObject = null;
    showCamera();
  }

  function showCamera() {
    video.hidden = !stream;
    cameraButton.textContent = stream ? "Turn the camera off" : "Turn the camera on";
    cameraButton.setAttribute("aria-pressed", String(Boolean(stream)));
    show();
  }

  // --- the classes ----------------------------------------------------------------------------------------------
  const list = make("div", { class: "tm-classes" });
  const addButton = make("button", { type: "button", onclick: () => send("add class") }, "Add a class");

  function makeClass(name) {
    const legend = make("legend");
    const input = make("input", { type: "text", onkeydown: (event) => event.stopPropagation() });
    input.addEventListener("change", () => send("rename class", { old: parts.name, new: input.value }));
    const upload = make("input", { type: "file", multiple: true, accept: "image/*,.heic,.heif" });
    upload.addEventListener("change", async () => {
      for (const file of upload.files) await add(file);
      upload.value = "";
    });
    async function add(file) {
      try {
        send("add picture", { name: parts.name, file: file.name }, [await contentOf(file)]);
      } catch {
        say(`${file.name} cannot be used: it is damaged, or no picture.`, true);
      }
    }
    const shoot = make("button", { type: "button", class: "tm-shoot" }, "Photograph");
    const take = async () => stream && send("add picture", { name: parts.name }, [await photograph(video)]);
    let timer = null;
    const release = () => clearInterval(timer);
    shoot.addEventListener("pointerdown", () => {
      take();
      timer = setInterval(take, 300); // held down: one after the other
    });
    for (const end of ["pointerup", "pointerleave", "pointercancel"]) shoot.addEventListener(end, release);
    shoot.addEventListener("click", (event) => event.detail === 0 && take()); // by keyboard
    const remove = make("button", { type: "button", onclick: () => send("remove class", { name: parts.name }) }, "Remove");
    const thumbnails = make("ul", { class: "tm-thumbnails" });
    const box = make(
      "fieldset",
      {},
      legend,
      make("label", {}, "Name ", input),
      make("label", {}, "Upload pictures ", upload),
      make("div", { class: "tm-row" }, shoot, remove),
      thumbnails,
    );
    const parts = { name, legend, input, upload, shoot, remove, thumbnails, box, release };
    return parts;
  }

  function nameClass(parts, count) {
    const { name } = parts;
    parts.legend.textContent = `${name}: ${count} ${count === 1 ? "picture" : "pictures"}`;
    if (document.activeElement !== parts.input) parts.input.value = name;
    parts.input.setAttribute("aria-label", `Name of ${name}`);
    parts.upload.setAttribute("aria-label", `Upload pictures of ${name}`);
    parts.shoot.setAttribute("aria-label", `Photograph ${name}; hold down for more`);
    parts.remove.setAttribute("aria-label", `Remove ${name} and its pictures`);
    parts.thumbnails.setAttribute("aria-label", `Pictures of ${name}`);
    [...parts.thumbnails.querySelectorAll("button")].forEach((button, place) => {
      button.setAttribute("aria-label", `Remove picture ${place + 1} of ${name}`);
      button.title = "Remove";
    });
  }

  function addThumbnail(name, key, content) {
    const parts = classes.get(name);
    if (!parts || parts.thumbnails.querySelector(`[data-key="${key}"]`)) return;
    const address = URL.createObjectURL(new Blob([content], { type: "image/jpeg" }));
    const picture = make("img", { alt: "", src: address, onload: () => URL.revokeObjectURL(address) });
    const button = make("button", { type: "button" }, picture);
    const item = make("li", { "data-key": String(key) }, button);
    button.addEventListener("click", () => {
      const next = (item.nextElementSibling ?? item.previousElementSibling)?.querySelector("button") ?? parts.upload;
      item.remove();
      next.focus(); // or a keyboard would begin again at the top of the page
      send("remove picture", { name: parts.name, key });
    });
    parts.thumbnails.append(item);
    show();
  }

  // --- train, try, save -----------------------------------------------------------------------------------------
  const train = make("button", { type: "button", class: "tm-main", onclick: () => send("train") }, "Train");
  const tryFile = make("input", { type: "file", accept: "image/*,.heic,.heif" });
  tryFile.addEventListener("change", async () => {
    const [file] = tryFile.files;
    if (!file) return;
    try {
      send("ask", { file: file.name }, [await contentOf(file)]);
    } catch {
      say(`${file.name} cannot be used: it is damaged, or no picture.`, true);
    }
    tryFile.value = "";
  });
  const liveButton = make("button", { type: "button", "aria-pressed": "false" }, "Ask the camera");
  liveButton.addEventListener("click", () => {
    live = !live;
    show();
    askCamera();
  });
  async function askCamera() {
    if (live && stream) send("ask", {}, [await photograph(video)]);
  }
  const answers = make("ul", { class: "tm-answers", "aria-label": "Probabilities, the highest first" });
  const seen = make("img", { class: "tm-seen", alt: "", hidden: true });
  const save = make("button", { type: "button", onclick: () => send("save") }, "Save");
  const report = make("button", { type: "button", onclick: () => send("report") }, "Make a report");
  const links = make("span");

  function showAnswer(ranking, content) {
    const address = URL.createObjectURL(new Blob([content], { type: "image/jpeg" }));
    seen.onload = () => URL.revokeObjectURL(address);
    seen.src = address;
    seen.alt = `The picture in grey; orange is what speaks most for ${ranking[0][0]} (Grad-CAM)`;
    seen.hidden = false;
    const rows = ranking.map(([name, probability]) => {
      const text = `${(100 * probability).toFixed(0)} %`;
      const meter = make("meter", { min: "0", max: "1", value: String(probability), "aria-label": name });
      return make("li", {}, make("span", {}, name), meter, make("span", {}, text));
    });
    answers.replaceChildren(...rows);
  }

  function openable(page) {
    const address = URL.createObjectURL(new Blob([page], { type: "text/html" }));
    links.replaceChildren(make("a", { href: address, target: "_blank", rel: "noopener" }, "Open the report"));
  }

  // --- what the kernel says -------------------------------------------------------------------------------------
  function show() {
    const there = model.get("classes");
    const names = new Set(there.map(({ name }) => name));
    for (const [name, parts] of classes) {
      if (names.has(name)) continue;
      parts.release();
      parts.box.remove();
      classes.delete(name);
    }
    for (const { name, count } of there) {
      if (!classes.has(name)) {
        classes.set(name, makeClass(name));
        list.append(classes.get(name).box);
      }
      nameClass(classes.get(name), count);
    }
    const progress = model.get("progress");
    const busy = progress !== null;
    bar.hidden = !busy;
    if (progress >= 0) bar.value = progress ?? 0;
    else bar.removeAttribute("value");
    for (const parts of classes.values()) parts.shoot.disabled = !stream || busy;
    const ready = model.get("trained") && !busy;
    train.disabled = busy;
    for (const element of [tryFile, save]) element.disabled = !ready;
    report.disabled = busy;
    liveButton.disabled = !(ready && stream);
    live = live && ready;
    liveButton.setAttribute("aria-pressed", String(live));
    liveButton.textContent = live ? "Stop asking" : "Ask the camera";
    if (!model.get("trained")) {
      answers.replaceChildren();
      seen.hidden = true;
    }
  }

  function onMessage(content, buffers) {
    if (content.kind === "added") addThumbnail(content.name, content.key, buffers[0]);
    if (content.kind === "answer") {
      showAnswer(content.ranking, buffers[0]);
      setTimeout(askCamera, 100);
    }
    if (content.kind === "no answer") live = false;
    if (content.kind === "report") openable(content.page);
    if (content.kind === "renamed") {
      const parts = classes.get(content.old);
      if (parts && content.new !== content.old) {
        // The order of a Map is that of its keys' coming: made anew, so that it stays that of the page.
        const entries = [...classes].map(([name, each]) => [name === content.old ? content.new : name, each]);
        classes.clear();
        for (const [name, each] of entries) classes.set(name, each);
        parts.name = content.new;
      }
      if (parts) parts.input.value = parts.name;
    }
  }
  const onState = () => show();
  const onText = () => say(model.get("message").text, model.get("message").problem);
  const watched = ["change:classes", "change:progress", "change:trained"];
  for (const event of watched) model.on(event, onState);
  model.on("change:message", onText);
  model.on("msg:custom", onMessage);

  el.append(
    make(
      "section",
      { class: "tm", "aria-label": "Teachable machine" },
      make("div", { class: "tm-row" }, cameraButton, addButton),
      video,
      list,
      make("div", { class: "tm-row" }, train, bar),
      status,
      alert,
      make("div", { class: "tm-row" }, make("label", {}, "Ask about a picture ", tryFile), liveButton),
      make("div", { class: "tm-row" }, seen, answers),
      make("div", { class: "tm-row" }, save, report, links),
    ),
  );
  show();
  onText();
  send("hello");

  return () => {
    stopCamera();
    for (const event of watched) model.off(event, onState);
    model.off("change:message", onText);
    model.off("msg:custom", onMessage);
  };
}

export default { render };
