-- End of the script: run the operations, and return the answer of each, which may be an error.

local answers, place = {}, 2
while place < #ARGV do
    local part, name, count = ARGV[place + 1], ARGV[place + 2], tonumber(ARGV[place + 3])
    prefix = ARGV[place]
    local is_done, answer = pcall(parts[part][name], unpack(ARGV, place + 4, place + 3 + count))
    if not is_done then
        answer = type(answer) == 'table' and answer or { err = answer }
    end
    answers[#answers + 1] = answer or false
    place = place + 4 + count
end
return answers
