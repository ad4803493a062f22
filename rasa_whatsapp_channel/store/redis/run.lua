-- End of the script: run the operations, and return the answer of each, which may be an error.

local words, at = {}, 1
for length in string.gmatch(ARGV[2], '%d+') do
    local next_at = at + tonumber(length)
    words[#words + 1] = string.sub(ARGV[3], at, next_at - 1)
    at = next_at
end

local answers, place = {}, 1
while place < #words do
    local part, name, count = words[place + 1], words[place + 2], tonumber(words[place + 3])
    prefix = words[place]
    local is_done, answer = pcall(parts[part][name], unpack(words, place + 4, place + 3 + count))
    if not is_done then
        answer = type(answer) == 'table' and answer or { err = answer }
    end
    answers[#answers + 1] = answer or false
    place = place + 4 + count
end
return answers
