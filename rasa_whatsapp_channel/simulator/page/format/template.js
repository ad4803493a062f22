// The words of a template.

/** *text* with the values of *parameters* in place of {{1}} or {{name}}; what has none stays. */
export function filled(text, parameters = []) {
  const named = new Map(
    parameters.map((parameter, at) => [parameter.parameter_name ?? String(at + 1), parameter]),
  );
  return String(text ?? "").replace(/\{\{\s*([\w]+)\s*\}\}/g, (whole, name) =>
    named.has(name) ? valueOf(named.get(name)) : whole,
  );
}

function valueOf(parameter) {
  const value = parameter[parameter.type];
  if (typeof value === "string") return value;
  return value?.fallback_value ?? parameter.text ?? parameter.type ?? "";
}
