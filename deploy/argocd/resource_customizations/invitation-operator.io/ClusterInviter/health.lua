-- Health of an inviter. Follows kstatus: Stalled waits for a human, Reconciling for anything else.
--
-- Nothing is Degraded before the operator has seen the object as it is now.
local function health(status, message)
  return { status = status, message = message }
end

local function told(condition)
  if condition.message == nil or condition.message == "" then
    return condition.reason
  end
  return condition.reason .. ": " .. condition.message
end

if obj.metadata.deletionTimestamp ~= nil then
  return health("Progressing", "Being deleted")
end

local status = obj.status or {}
local ready, stalled
local remarks = ""
for _, condition in ipairs(status.conditions or {}) do
  if condition.type == "Ready" then
    ready = condition
  elseif condition.type == "Stalled" and condition.status == "True" then
    stalled = condition
  elseif condition.type ~= "Reconciling" and condition.status == "True" then
    -- Nothing that hinders whoever uses the inviter, and something that its owner should read.
    remarks = remarks .. "; " .. told(condition)
  end
end

if ready == nil or status.observedGeneration ~= obj.metadata.generation then
  return health("Progressing", "Waiting for the operator")
end

if ready.status == "True" then
  return health("Healthy", told(ready) .. remarks)
end

if stalled ~= nil then
  return health("Degraded", told(stalled))
end

return health("Progressing", told(ready))
